import { randomHalves } from '../stats/index.js';
import {
  liveFolds,
  openRun,
  type PooledGrid,
  type Run,
  type RunLayer,
  readPooledGrid,
  readTokenCounts,
  unitLayout,
} from '../store/index.js';
import { ItemEvaluator } from './item-evaluator.js';
import { type ItemSamples, itemSamples } from './item-samples.js';
import { HalfScores } from './reliability.js';
import { reliabilitySample } from './reliability-sample.js';
import { scoreFolds } from './score-folds.js';
import { scoreItems } from './score-items.js';
import type { ScoreResult, ScoreSettings, ScoreTask } from './score-task.js';
import { scoreTwoWay, scoreVectorShare } from './score-two-way.js';
import {
  HALF_SCORES,
  HALF_SCORES_OF_FOLDS,
  HALF_SCORES_OF_LANGUAGES,
  type HalfScoreName,
  halfScoresOf,
} from './scored-piece.js';
import type { ScoreName } from './types.js';

/** Computes pieces of a run's scores, one after another, reading what each needs from the run's files. */
export class ScoreTaskRunner {
  readonly #run: Run;
  readonly #settings: ScoreSettings;
  readonly #grid: PooledGrid | null;
  readonly #samples: ItemSamples | null;
  readonly #evaluator: ItemEvaluator | null;
  readonly #splits: ReturnType<typeof randomHalves>;
  #open: RunLayer | null = null;

  private constructor(run: Run, settings: ScoreSettings, grid: PooledGrid | null, folds: readonly number[]) {
    const { splits, seed, resampling } = settings;
    this.#run = run;
    this.#settings = settings;
    this.#grid = grid;
    this.#splits = folds.length < 2 ? [] : randomHalves(folds, splits, seed);
    this.#samples = grid && itemSamples(grid, this.#splits, resampling);
    this.#evaluator = grid && new ItemEvaluator(grid);
  }

  static async start(settings: ScoreSettings): Promise<ScoreTaskRunner> {
    const run = await openRun(settings.folder);
    const layer = await run.layer(0);
    const live = liveFolds(await layer.readTokens(), run.manifest.plan);
    await layer.close();
    return new ScoreTaskRunner(run, settings, await readPooledGrid(run), live);
  }

  async run(task: ScoreTask): Promise<ScoreResult> {
    const layer = await this.#layer(task.layer);
    const { shape, plan } = this.#run.manifest;
    const { type, unitStart, unitEnd } = task;
    const scores = new Set(this.#settings.scores[task.type] ?? []);
    if (task.kind === 'folds') {
      const halves = this.#halves(task, (name) => HALF_SCORES_OF_FOLDS.has(name), scores);
      const block = { folds: plan.folds, languages: plan.languages.length, units: unitEnd - unitStart };
      const tokens = await readTokenCounts(layer, type, shape, unitStart, unitEnd);
      return this.#result(await scoreFolds(layer, task, tokens, block, scores, halves.ofPiece), halves.list);
    }
    const { array } = task;
    const grid = this.#grid!;
    // Half scores stand relative to the layer, as the piece does.
    const block = await layer.readStoredItems(array, unitStart, unitEnd);
    const piece = { type: task.type, layer: task.layer, unitStart, ofLanguages: {} };
    if (array === 'head.items') {
      const halves = this.#halves(task, (name) => HALF_SCORES[name] === 'vectorShare', scores);
      return this.#result({ ...piece, ofUnits: scoreVectorShare(block, grid, halves.ofPiece) }, halves.list);
    }
    const ofItems = (name: HalfScoreName) =>
      !HALF_SCORES_OF_FOLDS.has(name) && HALF_SCORES[name] !== 'vectorShare';
    const halves = this.#halves(task, ofItems, scores);
    const scoring = {
      grid,
      samples: this.#samples!,
      evaluator: this.#evaluator!,
      full: this.#settings.resampling !== null,
    };
    const { ofUnits, ofLanguages } = scoreItems(block, scoring, scores, halves.ofPiece);
    const twoWay = scores.has('twoWay') ? scoreTwoWay(block, grid, halves.ofPiece) : {};
    return this.#result({ ...piece, ofUnits: { ...ofUnits, ...twoWay }, ofLanguages }, halves.list);
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

  /** Empty half scores for the sampled units among those of the task. */
  #halves(
    { type, layer, unitStart, unitEnd }: ScoreTask,
    wanted: (name: HalfScoreName) => boolean,
    scores: ReadonlySet<ScoreName>,
  ) {
    const { shape, plan } = this.#run.manifest;
    const layout = unitLayout(shape, type);
    const start = layout.starts[layer]!;
    const list: (readonly [HalfScoreName, number, HalfScores])[] = [];
    for (const name of this.#splits.length === 0 ? [] : halfScoresOf(scores).filter(wanted)) {
      const sample = reliabilitySample(name, layout.units, this.#settings.seed);
      const all = new HalfScores([], sample);
      const [first, end] = all.within(start + unitStart, start + unitEnd);
      const own = sample.slice(first, end).map((unit) => unit - start);
      const columns = HALF_SCORES_OF_LANGUAGES.has(name) ? plan.languages.length : 1;
      list.push([name, first, new HalfScores(this.#splits, own, columns)]);
    }
    return { list, ofPiece: new Map(list.map(([name, , halves]) => [name, halves])) };
  }

  #result(
    piece: Omit<ScoreResult, 'halves'>,
    halves: readonly (readonly [HalfScoreName, number, HalfScores])[],
  ): ScoreResult {
    return { ...piece, halves: halves.map(([name, first, { values }]) => [name, first, values]) };
  }
}
