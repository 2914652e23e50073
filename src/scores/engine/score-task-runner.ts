import { Random, randomHalves } from '../../stats/index.js';
import {
  liveFolds,
  openRun,
  type PooledGrid,
  type Run,
  type RunLayer,
  readPooledGrid,
  readTokenCounts,
  unitLayout,
} from '../../store/index.js';
import type { FoldScore, ScoreDefinition, VarianceScore } from '../definition.js';
import { loadDefinitions } from '../definitions/index.js';
import { HalfScores } from '../samples/half-scores.js';
import { ItemEvaluator } from '../samples/item-evaluator.js';
import { type ItemSamples, itemSamples } from '../samples/item-samples.js';
import { definitionsOf } from './available.js';
import { scoreFolds } from './score-folds.js';
import { scoreItems } from './score-items.js';
import { scoreVariance } from './score-variance.js';
import {
  type HalfScore,
  halfScoresOf,
  type PieceHalves,
  type ScoredPiece,
  type ScoreResult,
  type ScoreSettings,
  type ScoreTask,
} from './scored-piece.js';

/** Computes pieces of a run's scores, one after another, reading what each needs from the run's files. */
export class ScoreTaskRunner {
  readonly #run: Run;
  readonly #settings: ScoreSettings;
  readonly #definitions: readonly ScoreDefinition[];
  readonly #grid: PooledGrid | null;
  readonly #samples: ItemSamples | null;
  readonly #evaluator: ItemEvaluator | null;
  readonly #splits: ReturnType<typeof randomHalves>;
  #open: RunLayer | null = null;

  private constructor(
    run: Run,
    settings: ScoreSettings,
    definitions: readonly ScoreDefinition[],
    grid: PooledGrid | null,
    folds: readonly number[],
  ) {
    const { splits, seed, resampling } = settings;
    this.#run = run;
    this.#settings = settings;
    this.#definitions = definitions;
    this.#grid = grid;
    this.#splits = folds.length < 2 ? [] : randomHalves(folds, splits, seed);
    this.#samples = grid && itemSamples(grid, this.#splits, resampling);
    this.#evaluator = grid && new ItemEvaluator(grid);
  }

  static async start(settings: ScoreSettings): Promise<ScoreTaskRunner> {
    const run = await openRun(settings.folder, { checked: true });
    const layer = await run.layer(0);
    const live = liveFolds(await layer.readTokens(), run.manifest.plan);
    await layer.close();
    const definitions = await loadDefinitions(settings.definitions);
    return new ScoreTaskRunner(run, settings, definitions, await readPooledGrid(run), live);
  }

  async run(task: ScoreTask): Promise<ScoreResult> {
    const layer = await this.#layer(task.layer);
    const { shape, plan } = this.#run.manifest;
    const { type, unitStart, unitEnd } = task;
    const all = definitionsOf(this.#definitions, type, new Set(this.#settings.scores[type] ?? []));
    if (task.kind === 'folds') {
      const own = all.filter((definition): definition is FoldScore => definition.from === 'folds');
      const block = { folds: plan.folds, languages: plan.languages.length, units: unitEnd - unitStart };
      const tokens = await readTokenCounts(layer, type, shape, unitStart, unitEnd);
      return this.#withHalves(task, own, (halves) => scoreFolds(layer, task, tokens, block, own, halves));
    }
    const { array } = task;
    const grid = this.#grid!;
    const from = array === 'head.items' ? 'vectors' : 'values';
    const variance = all.filter((definition): definition is VarianceScore => definition.from === from);
    const own =
      from === 'vectors' ? variance : all.filter((one) => one.from === 'prompts' || one.from === from);
    // Half scores stand relative to the layer, as the piece does.
    const block = await layer.readStoredItems(array, unitStart, unitEnd);
    return this.#withHalves(task, own, async (halves) => {
      const piece = { type, layer: task.layer, unitStart };
      const shares = scoreVariance(block, grid, variance, halves);
      if (from === 'vectors') return { ...piece, ofUnits: shares, ofLanguages: {} };
      const scoring = {
        grid,
        samples: this.#samples!,
        evaluator: this.#evaluator!,
        full: this.#settings.resampling !== null,
      };
      const { ofUnits, ofLanguages } = scoreItems(block, scoring, own, halves);
      return { ...piece, ofUnits: { ...ofUnits, ...shares }, ofLanguages };
    });
  }

  async close(): Promise<void> {
    await this.#open?.close();
    this.#open = null;
  }

  /** Tasks of a layer come one after another: its file stays open until another layer's turn. */
  async #layer(index: number): Promise<RunLayer> {
    if (this.#open?.layer !== index) {
      await this.close();
      this.#open = await this.#run.layer(index);
    }
    return this.#open!;
  }

  /** Scores a piece, with half scores for the sampled units among those of the task. */
  async #withHalves(
    { type, layer, unitStart, unitEnd }: ScoreTask,
    definitions: readonly ScoreDefinition[],
    score: (halves: PieceHalves) => Promise<ScoredPiece>,
  ): Promise<ScoreResult> {
    const { shape, plan } = this.#run.manifest;
    const layout = unitLayout(shape, type);
    const start = layout.starts[layer]!;
    const halves = (this.#splits.length === 0 ? [] : halfScoresOf(definitions)).map((half) => {
      const sample = reliabilitySample(half, layout.units, this.#settings.seed);
      const [first, end] = new HalfScores([], sample).within(start + unitStart, start + unitEnd);
      const own = sample.slice(first, end).map((unit) => unit - start);
      const scores = new HalfScores(this.#splits, own, half.byLanguage ? plan.languages.length : 1);
      return { name: half.name, first, scores };
    });
    const piece = await score(new Map(halves.map(({ name, scores }) => [name, scores])));
    return {
      ...piece,
      halves: halves.map(({ name, first, scores }) => [name, first, scores.values] as const),
    };
  }
}

/** Ascending indices, among all units of a type, of those on which a score's reliability is estimated. */
export function reliabilitySample({ units: most }: HalfScore, units: number, seed: number): Uint32Array {
  return new Random(seed).sample(units, most);
}
