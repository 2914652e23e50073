import { join } from 'node:path';
import type { LayerSizes } from '../hooks/layer-widths.js';
import { physicalCores } from '../runtime/threads.js';
import { liveFolds } from '../scores/fold-sums.js';
import { runTasks } from '../scores/run-tasks.js';
import type { UnitType } from '../scores/types.js';
import { expertOfUnit, type UnitLayout } from '../scores/unit-layout.js';
import { benjaminiHochberg } from '../stats/benjamini-hochberg.js';
import { studentTQuantile } from '../stats/student-t.js';
import { type ColumnType, ROW_GROUP_ROWS, streamTable, type TableValue } from '../store/table.js';
import { makeFolder } from '../store/write-file-atomic.js';
import type { ChangedScore, ChangeResult, ChangeTask } from './change-task.js';
import type { RunToCompare } from './compare-runs.js';
import { SCORE_CHANGES_FILE } from './files.js';
import { assertMatch } from './match.js';
import { openRegimes } from './open-regimes.js';
import { pairedP } from './paired-change.js';
import type { RunSource } from './run-source.js';

export const SCORE_CHANGES_SCHEMA_VERSION = 3;

/** Columns of `score_changes.parquet`. */
export const SCORE_CHANGE_COLUMNS: readonly {
  readonly name: string;
  readonly type: ColumnType;
  readonly about: string;
}[] = [
  { name: 'label', type: 'string', about: 'the run compared with the reference' },
  { name: 'type', type: 'string', about: 'neuron, head or expert' },
  { name: 'layer', type: 'int32', about: 'from 0' },
  { name: 'index', type: 'int32', about: 'within the layer, from 0' },
  {
    name: 'expert',
    type: 'int32',
    about: 'the expert that a neuron is of, or that the row is about; null for other units',
  },
  {
    name: 'score',
    type: 'string',
    about:
      'rate, mean, contrast, ap, auroc, selectivity, overlap, mi, pattern_entropy, pattern_first, pattern_previous or exclusivity: as in the tables of a scored run',
  },
  {
    name: 'language',
    type: 'string',
    about: 'BCP 47 tag; null for mi and exclusivity, and for overlap as a mean over pairs of languages',
  },
  { name: 'reference', type: 'float64', about: 'the score in the reference run' },
  { name: 'other', type: 'float64', about: 'the score in the other' },
  { name: 'delta', type: 'float64', about: 'other − reference' },
  {
    name: 'se',
    type: 'float64',
    about:
      'its paired standard error: delete-one-fold jackknife; of overlap and mi half-samples of the folds',
  },
  {
    name: 'low',
    type: 'float64',
    about: 'lower end of its 95 % interval; of mi centred on delta less its mean under permutation',
  },
  { name: 'high', type: 'float64', about: 'upper end of its 95 % interval' },
  { name: 'p', type: 'float64', about: "p of the change, from the interval's t" },
  {
    name: 'q',
    type: 'float64',
    about: 'Benjamini–Hochberg q of it over all units of the type and all their languages',
  },
];

export interface ScoreChangesOptions {
  /** Label of the run that the others are compared with. Default: the first. */
  readonly reference?: string | undefined;
  /** Of random halves and permutations; default 0. */
  readonly seed?: number | undefined;
  /** Threads. Default: physical cores, at most 8. Does not change any number. */
  readonly threads?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each piece of work. */
  readonly onProgress?: ((progress: { readonly done: number; readonly total: number }) => void) | undefined;
}

/** Pooled values of a block, as float32. */
const BLOCK_BYTES = 64 * 2 ** 20; // 64 MiB

/**
 * Writes `score_changes.parquet`: of every unit and run but the reference the change of each score that languages have, and
 * of mutual information and overlap, with paired intervals, p and q: delete-one-fold jackknives, of overlap and mutual
 * information half-samples (`ItemChanges`). Each unit is ranked once a run and walked down once a fold, twice a
 * halving and once a permutation: some three hundred times. Of a run's layers only one is read at a time; held are 24
 * bytes a unit, score and language of one pair of runs.
 *
 * @throws RunError if a run is unreadable or does not match the reference; UsageError for an unusable label;
 *   InterruptedError; OutputError if it cannot be written.
 */
export async function writeScoreChanges(
  folder: string,
  runs: readonly RunToCompare[],
  {
    reference,
    seed = 0,
    threads = Math.min(8, physicalCores()),
    signal,
    onProgress,
  }: ScoreChangesOptions = {},
): Promise<void> {
  const regimes = await openRegimes(
    runs.map(({ folder: run, label }) => ({ folder: run, label })),
    reference,
  );
  const [first, ...others] = regimes.map(({ run }) => run) as [RunSource, ...RunSource[]];
  assertMatch(first, others);
  const { plan, languages } = first.manifest;
  const live = liveFolds(first.tokens, plan);
  const types = first.types.filter((type) => others.every((run) => run.types.includes(type)));
  const work = types.flatMap((type) => kindsOf(first, type).map((tasks) => ({ type, tasks })));
  const total = others.length * work.reduce((sum, { tasks }) => sum + tasks.length, 0);
  let done = 0;

  async function* pieces(): AsyncGenerator<readonly ArrayLike<TableValue>[]> {
    for (const other of others) {
      for (const { type, tasks } of work) {
        const table = new ChangeTable(first, type);
        await runTasks<ChangeTask, ChangeResult>(
          new URL('./change-worker.js', import.meta.url),
          { reference: first.folder, other: other.folder, folds: live, seed },
          tasks,
          threads,
          (result, task) => {
            table.add(result, task);
            onProgress?.({ done: ++done, total });
          },
          signal,
        );
        yield* table.rows(other.label, plan.languages, live.length);
      }
    }
  }
  await makeFolder(folder);
  await streamTable(join(folder, SCORE_CHANGES_FILE), SCORE_CHANGE_COLUMNS, pieces(), {
    schema: 'babelscope/score_changes',
    schema_version: String(SCORE_CHANGES_SCHEMA_VERSION),
    reference: first.label,
    seed: String(seed),
    languages: JSON.stringify(languages.map(({ tag, prompts, tokens }) => ({ tag, prompts, tokens }))),
    columns: JSON.stringify(Object.fromEntries(SCORE_CHANGE_COLUMNS.map(({ name, about }) => [name, about]))),
  });
}

/** Tasks of a type by what they read: fold sums, and pooled values where they are kept. */
function kindsOf(run: RunSource, type: UnitType): ChangeTask[][] {
  const { manifest, grid } = run;
  const { widths } = run.layout(type);
  const every = [...widths.keys()].filter((layer) => widths[layer]! > 0);
  const folds = every.map((layer): ChangeTask => ({ kind: 'folds', layer, type }));
  if (grid === null) return [folds];
  const cells = manifest.plan.items.length * manifest.plan.languages.length;
  const most = Math.max(1, Math.floor(BLOCK_BYTES / (cells * Float32Array.BYTES_PER_ELEMENT)));
  const items = every.flatMap((layer) => {
    const { unitStart: first, unitEnd: last } = run.unitsWithItems(type, layer) ?? {
      unitStart: 0,
      unitEnd: 0,
    };
    return Array.from({ length: Math.ceil((last - first) / most) }, (_, block): ChangeTask => {
      const unitStart = first + block * most;
      return { kind: 'items', layer, type, unitStart, unitEnd: Math.min(last, unitStart + most) };
    });
  });
  return items.length === 0 ? [folds] : [folds, items];
}

/** Changes of all units of a type, gathered from pieces. */
class ChangeTable {
  readonly #type: UnitType;
  readonly #sizes: LayerSizes;
  readonly #layout: UnitLayout;
  readonly #units: number;
  #scores: readonly ChangedScore[] = [];
  /** [score, unit] each. */
  #reference = new Float64Array();
  #other = new Float64Array();
  #se = new Float32Array();
  /** [unit] */
  readonly #miShift: Float32Array;

  constructor(run: RunSource, type: UnitType) {
    this.#type = type;
    this.#sizes = run.manifest.shape;
    this.#layout = run.layout(type);
    this.#units = this.#layout.units;
    this.#miShift = new Float32Array(this.#units);
  }

  add({ scores, reference, other, se, miShift }: ChangeResult, task: ChangeTask): void {
    if (this.#scores.length === 0) {
      this.#scores = scores;
      this.#reference = new Float64Array(scores.length * this.#units).fill(Number.NaN);
      this.#other = this.#reference.slice();
      this.#se = new Float32Array(this.#reference.length).fill(Number.NaN);
    }
    const n = reference.length / scores.length;
    const start = this.#layout.starts[task.layer]! + (task.kind === 'items' ? task.unitStart : 0);
    this.#miShift.set(miShift, start);
    for (let row = 0; row < scores.length; row++) {
      const to = row * this.#units + start;
      this.#reference.set(reference.subarray(row * n, (row + 1) * n), to);
      this.#other.set(other.subarray(row * n, (row + 1) * n), to);
      this.#se.set(se.subarray(row * n, (row + 1) * n), to);
    }
  }

  /** Columns of some rows at a time: score by score, language by language, unit by unit. */
  *rows(label: string, tags: readonly string[], folds: number): Generator<ArrayLike<TableValue>[]> {
    const t = folds < 2 ? Number.NaN : studentTQuantile(0.975, folds - 1);
    const units = this.#units;
    for (let first = 0; first < this.#scores.length; ) {
      const { score, language } = this.#scores[first]!;
      // A score's languages are tested together; what is over all languages by itself.
      const same = (row: ChangedScore) =>
        row.score === score && (row.language === null) === (language === null);
      let end = first;
      while (end < this.#scores.length && same(this.#scores[end]!)) end++;
      const delta = this.#other
        .slice(first * units, end * units)
        .map((value, i) => value - this.#reference[first * units + i]!);
      const se = this.#se.subarray(first * units, end * units);
      const centre = score === 'mi' ? delta.map((value, u) => value - this.#miShift[u]!) : delta;
      const p = pairedP(centre, se, folds);
      const q = benjaminiHochberg(p);
      const most = this.#most(score);
      for (let row = first; row < end; row++) {
        const tag = this.#scores[row]!.language;
        for (let start = 0; start < units; start += ROW_GROUP_ROWS) {
          const n = Math.min(units, start + ROW_GROUP_ROWS) - start;
          const at = row * units + start;
          const within = at - first * units;
          const places = Array.from({ length: n }, (_, i) => {
            const layer = this.#layout.layerOf(start + i);
            return [layer, start + i - this.#layout.starts[layer]!] as const;
          });
          const constant = (value: string | null) => new Array<string | null>(n).fill(value);
          const each = (of: (i: number) => number) =>
            Float64Array.from({ length: n }, (_, i) => of(within + i));
          yield [
            constant(label),
            constant(this.#type),
            places.map(([layer]) => layer),
            places.map(([, index]) => index),
            places.map(([layer, index]) => expertOfUnit(this.#sizes, this.#type, layer, index)),
            constant(score),
            constant(tag === null ? null : tags[tag]!),
            this.#reference.subarray(at, at + n),
            this.#other.subarray(at, at + n),
            delta.subarray(within, within + n),
            each((i) => se[i]!),
            each((i) => Math.max(-most, centre[i]! - t * se[i]!)),
            each((i) => Math.min(most, centre[i]! + t * se[i]!)),
            p.subarray(within, within + n),
            q.subarray(within, within + n),
          ];
        }
      }
      first = end;
    }
  }

  /** How much a score can change. */
  #most(score: ChangedScore['score']): number {
    const shares = ['exclusivity', 'ap', 'auroc', 'overlap', 'pattern_first', 'pattern_previous'];
    return shares.includes(score) || (score === 'rate' && this.#type !== 'head') ? 1 : Infinity;
  }
}
