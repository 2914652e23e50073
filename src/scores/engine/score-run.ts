import { modelLabel } from '../../checkpoint/index.js';
import { UsageError } from '../../errors.js';
import { physicalCores, runTasks } from '../../runtime/index.js';
import { randomHalves } from '../../stats/index.js';
import {
  arrayBytes,
  expectedLayerArrays,
  ITEM_ARRAYS,
  type ItemsName,
  languageAbsent,
  liveFolds,
  openRun,
  type PooledGrid,
  type Run,
  readPooledGrid,
  recordedArrays,
  type ScoredType,
  Scratch,
  tokensOf,
  unitBlocks,
  unitLayout,
  withFolderLock,
} from '../../store/index.js';
import { VERSION } from '../../version.js';
import type { ScoreDefinition } from '../definition.js';
import { loadDefinitions } from '../definitions/index.js';
import { languageEntropy } from '../definitions/mutual-information.js';
import { HalfScores } from '../samples/half-scores.js';
import { policyCounts, selectByPolicies } from '../selection/policies.js';
import { SCORES_SCHEMA_VERSION, type ScoreName, type ScoreSummary } from '../tables/summary.js';
import { writeScores } from '../tables/write-scores.js';
import { availableScores, definitionsOf, parseScoreNames } from './available.js';
import { refuseCoarser } from './finer-scores.js';
import { scoreAlignment } from './score-alignment.js';
import {
  halfScoresOf,
  reliabilitySample,
  type ScoreResult,
  type ScoreSettings,
  type ScoreTask,
} from './scored-piece.js';
import { UnitScores } from './unit-scores.js';

export interface ScoreRunOptions {
  /** Which of `SCORE_NAMES`; default all that the run has data for. Firing rates and means are always given. */
  readonly scores?: readonly string[] | undefined;
  /**
   * `basic` (default): intervals that follow from fold sums, and reliability. `full`: bootstrap intervals and permutation
   * p- and q-values of item scores too, which takes far longer.
   */
  readonly uncertainty?: 'basic' | 'full' | undefined;
  /** Bootstrap draws and permutations with `full`. Default 1000 each. */
  readonly draws?: number | undefined;
  readonly permutations?: number | undefined;
  /** Seed of the random halves, draws and permutations, and of the samples of units. Default 0. */
  readonly seed?: number | undefined;
  /** Random halves for the reliability. Default 50. */
  readonly splits?: number | undefined;
  /** Replace scores of the run that are finer: more of them, or more draws, permutations or halves. Default false. */
  readonly overwrite?: boolean | undefined;
  /** Threads. Default: physical cores, at most 8. Does not change any number. */
  readonly threads?: number | undefined;
  /** Aborting stops the work with an InterruptedError; nothing is written. */
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: ScoreProgress) => void) | undefined;
  /** URL of a module that exports another list `SCORE_DEFINITIONS`; threads load it too. Default: the scores there are. */
  readonly definitions?: string | undefined;
}

export interface ScoreProgress {
  /** Layers done, and how many there will be: each counts again for the alignment of languages. */
  readonly done: number;
  readonly layers: number;
}

/** Splits of the folds for the reliability (docs/scores.md). */
export const RELIABILITY_SPLITS = 50;
/** Bootstrap draws, and permutations (docs/scores.md). */
const DRAWS = 1000;
/** Each thread costs some 80 MB besides its share of the memory for blocks. */
const MOST_THREADS = 8;

/**
 * Scores every neuron, head, expert and residual dimension of a run and writes `units.parquet`, `unit_languages.parquet`,
 * `alignment.parquet` (where the residual stream was kept) and `scores.json` into its folder. Layers are read in blocks of
 * units, in worker threads; what is computed lies on disk until all of it is, about as much as the tables then take.
 *
 * @returns what `scores.json` says.
 * @throws RunError if the run cannot be read, is damaged or a language has no counted token; UsageError for an unknown
 *   score, for draws or permutations without full uncertainty, or where finer scores would be replaced; OutputError if the folder cannot be written.
 */
export async function scoreRun(run: string | Run, options: ScoreRunOptions = {}): Promise<ScoreSummary> {
  const opened = typeof run === 'string' ? await openRun(run) : run;
  return withFolderLock(opened.folder, { what: 'score' }, async () => {
    const scratch = new Scratch(opened.folder);
    try {
      return await scoreOpened(opened, options, scratch);
    } finally {
      scratch.close();
    }
  });
}

async function scoreOpened(opened: Run, options: ScoreRunOptions, scratch: Scratch): Promise<ScoreSummary> {
  const { seed = 0, splits = RELIABILITY_SPLITS, uncertainty = 'basic', signal, onProgress } = options;
  if (uncertainty !== 'full' && (options.draws ?? options.permutations) !== undefined) {
    throw new UsageError({
      what: 'draws and permutations are part of full uncertainty',
      where: '--draws, --permutations',
      remedy: 'add --uncertainty full, or leave them out',
    });
  }
  const definitions = await loadDefinitions(options.definitions);
  const asked = options.scores === undefined ? null : parseScoreNames(options.scores, definitions);
  const { manifest, folder } = opened;
  await opened.check(signal);
  const { plan, shape } = manifest;
  const languages = plan.languages.length;
  const { tokens, folds } = await countedTokens(opened);
  const grid = await readPooledGrid(opened);
  const { scores, skipped } = availableScores(
    definitions,
    { manifest, names: await recordedArrays(opened), completeItems: grid?.complete.length ?? 0 },
    asked,
  );
  const halves = folds.length < 2 ? [] : randomHalves(folds, splits, seed);
  const threads = options.threads ?? Math.min(MOST_THREADS, physicalCores());
  const resampling =
    uncertainty === 'full' && grid !== null
      ? { draws: options.draws ?? DRAWS, permutations: options.permutations ?? DRAWS, seed }
      : null;

  const named = (names: ReadonlySet<ScoreName>) => [...names].sort();
  if (options.overwrite !== true) {
    await refuseCoarser(folder, {
      planSha256: manifest.planSha256,
      resampling,
      splits: halves.length,
      units: [...scores].map(([type, names]) => ({ type, scores: named(names) })),
    });
  }

  const types = new Map(
    [...scores].map(([type, names]) => {
      const own = new UnitScores(type, unitLayout(shape, type), languages, scratch);
      const ofType = halves.length === 0 ? [] : halfScoresOf(definitionsOf(definitions, type, names));
      const halved = ofType.map((half) => {
        const sample = reliabilitySample(half, own.units, seed);
        return { half, scores: new HalfScores(halves, sample, half.byLanguage ? languages : 1) };
      });
      return [type, { own, halved }];
    }),
  );

  const tasks = scoreTasks(opened, definitions, scores, threads);
  const left = new Map<number, number>();
  for (const { layer } of tasks) left.set(layer, (left.get(layer) ?? 0) + 1);
  let done = 0;
  const layers = shape.layers * (scores.get('residual')?.has('alignment') ? 2 : 1);
  const onLayer = () => onProgress?.({ done: ++done, layers });
  await runTasks<ScoreTask, ScoreResult>(
    new URL('./score-worker.js', import.meta.url),
    {
      folder,
      seed,
      splits,
      resampling,
      definitions: options.definitions,
      scores: Object.fromEntries([...scores].map(([type, names]) => [type, [...names]])),
    } satisfies ScoreSettings,
    tasks,
    threads,
    ({ halves: pieces, ...piece }) => {
      const { type, layer } = piece;
      const { own, halved } = types.get(type)!;
      own.add(piece);
      for (const [name, position, values] of pieces) {
        halved.find(({ half }) => half.name === name)!.scores.take(position, values);
      }
      left.set(layer, left.get(layer)! - 1);
      if (left.get(layer) === 0) onLayer();
    },
    signal,
  );

  const aligned = scores.get('residual')?.has('alignment')
    ? await scoreAlignment(opened, { folds, halves, threads, signal, onLayer })
    : null;
  const prompts = grid === null ? null : promptsOf(grid);
  const tables = [...types.values()].map(({ own, halved }) => {
    return {
      scores: own,
      sizes: shape,
      prompts,
      policies: own.summary && selectByPolicies(own.summary, languages, own.rates()),
      reliability: halved
        // Residual dimensions have no rates, imported counts no means.
        .filter(({ half: { definition } }) => definition.asked !== null || own.has(definition.name))
        .map(({ half: { name }, scores: half }) => ({ type: own.type, score: name, ...half.reliability() })),
    };
  });
  const summary: ScoreSummary = {
    schema: 'babelscope/scores',
    schemaVersion: SCORES_SCHEMA_VERSION,
    babelscope: VERSION,
    planSha256: manifest.planSha256,
    model: modelLabel(manifest.model),
    probe: manifest.probe.name,
    positions: plan.positions,
    pooling: plan.pooling,
    seed,
    splits: halves.length,
    asked: asked && [...asked],
    folds: folds.length,
    items: plan.items.length,
    completeItems: grid?.complete.length ?? null,
    languages: manifest.languages.map(({ tag, prompts }, k) => ({ tag, prompts, tokens: tokens[k]! })),
    languageEntropy: prompts && languageEntropy(prompts),
    resampling,
    units: tables.map(({ scores: { type, layout, units, dead }, policies }) => ({
      type,
      layers: layout.layers,
      units,
      dead,
      scores: named(scores.get(type) ?? new Set()),
      tang2024: policies && policyCounts(policies.tang2024),
      polyfact2026: policies && policyCounts(policies.polyfact2026),
    })),
    alignment: aligned && { pairs: aligned.rows.length / shape.layers, layers: shape.layers },
    reliability: [...tables.flatMap(({ reliability }) => reliability), ...(aligned?.reliability ?? [])],
    skipped,
  };
  await writeScores(folder, manifest, definitions, tables, aligned?.rows ?? null, summary);
  return summary;
}

/** Layer by layer: its fold sums, then its pooled values, in blocks that fit into memory beside those of other threads. */
function scoreTasks(
  { manifest }: Run,
  definitions: readonly ScoreDefinition[],
  scores: ReadonlyMap<ScoredType, ReadonlySet<ScoreName>>,
  threads: number,
): ScoreTask[] {
  const { shape, plan } = manifest;
  const layouts = new Map([...scores.keys()].map((type) => [type, unitLayout(shape, type)]));
  // Beside the sums of a unit lie its estimates without each fold, and their working arrays.
  const foldBytes = 8 * plan.folds * plan.languages.length * Float64Array.BYTES_PER_ELEMENT;
  const tasks: ScoreTask[] = [];
  for (let layer = 0; layer < shape.layers; layer++) {
    const arrays = expectedLayerArrays(manifest, layer);
    for (const [type, names] of scores) {
      const unitEnd = layouts.get(type)!.widths[layer]!;
      for (const block of unitBlocks({ unitStart: 0, unitEnd }, foldBytes, threads)) {
        tasks.push({ kind: 'folds', layer, type, ...block });
      }
      const items = (array: ItemsName) => {
        const pooled = arrays.get(array);
        if (pooled === undefined) return;
        const units = pooled.shape[2]!;
        // Units that have no pooled values come first.
        const range = { unitStart: unitEnd - units, unitEnd };
        for (const block of unitBlocks(range, arrayBytes(pooled) / units, threads)) {
          tasks.push({ kind: 'items', layer, type, array, ...block });
        }
      };
      const from = new Set(definitionsOf(definitions, type, names).map((definition) => definition.from));
      if (from.has('prompts') || from.has('values')) items(ITEM_ARRAYS[type]);
      if (from.has('vectors')) items('head.items');
    }
  }
  return tasks;
}

/** [language]: prompts with pooled values. */
function promptsOf({ language, languages }: PooledGrid): Float64Array {
  const prompts = new Float64Array(languages);
  for (const k of language) prompts[k]! += 1;
  return prompts;
}

/** Tokens of each language, and the folds that have any. @throws RunError if a language has none. */
async function countedTokens({ manifest: { plan }, folder, layer }: Run) {
  const first = await layer(0);
  try {
    const counted = await first.readTokens();
    const tokens = tokensOf(counted, { folds: plan.folds, languages: plan.languages.length });
    const absent = plan.languages.filter((_, k) => tokens[k] === 0);
    if (absent.length > 0) throw languageAbsent(absent, folder);
    return { tokens, folds: liveFolds(counted, plan) };
  } finally {
    await first.close();
  }
}
