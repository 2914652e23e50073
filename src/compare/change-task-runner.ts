import { ITEM_ARRAYS } from '../scores/available.js';
import { contrast } from '../scores/contrast.js';
import { meanOverTokens } from '../scores/fold-sums.js';
import { ItemEvaluator, type ItemParts, newItemValues } from '../scores/item-evaluator.js';
import { itemSamples } from '../scores/item-samples.js';
import { type PooledGrid, readPooledGrid } from '../scores/pooled-grid.js';
import type { PromptSample } from '../scores/rank-walk.js';
import { readTokenCounts } from '../scores/read-token-counts.js';
import type { LanguageArray } from '../scores/score-arrays.js';
import { PATTERNS, statisticsOf } from '../scores/score-folds.js';
import { unitValues } from '../scores/score-items.js';
import type { UnitType } from '../scores/types.js';
import { type ItemBlock, openRun, type Run, type RunLayer, type StatisticName } from '../store/open-run.js';
import type { ChangedScore, ChangeResult, ChangeSettings, ChangeTask } from './change-task.js';
import { paired } from './paired-change.js';

const ITEM_SCORES = ['ap', 'auroc', 'selectivity', 'overlap'] as const;
const ITEM_PARTS: ItemParts = { ranks: true, mi: true, selectivity: true, overlap: true };

/** Computes changes between two runs, layer by layer, each score over all folds and with each fold left out. */
export class ChangeTaskRunner {
  readonly #runs: readonly [Run, Run];
  /** All folds, then each left out once. */
  readonly #subsets: readonly (readonly number[])[];
  readonly #grid: PooledGrid | null;
  readonly #samples: readonly PromptSample[];
  readonly #evaluator: ItemEvaluator | null;
  #open: readonly RunLayer[] = [];

  private constructor(runs: readonly [Run, Run], folds: readonly number[], grid: PooledGrid | null) {
    this.#runs = runs;
    this.#subsets = [folds, ...folds.map((left) => folds.filter((fold) => fold !== left))];
    this.#grid = grid;
    const drawn = grid && itemSamples(grid, [], { draws: 0, permutations: 0, seed: 0 });
    this.#samples = drawn === null ? [] : [drawn.whole, ...drawn.foldsLeftOut];
    this.#evaluator = grid && new ItemEvaluator(grid);
  }

  static async start({ reference, other, folds }: ChangeSettings): Promise<ChangeTaskRunner> {
    const runs = [await openRun(reference), await openRun(other)] as const;
    // Their prompts are the same: `assertMatch`.
    return new ChangeTaskRunner(runs, folds, await readPooledGrid(runs[0]));
  }

  async run(task: ChangeTask): Promise<ChangeResult> {
    const layers = await this.#layers(task.layer);
    return task.kind === 'folds'
      ? this.#ofFolds(task.type, layers)
      : this.#ofItems(task.type, layers, task.unitStart, task.unitEnd);
  }

  /** Tasks of a layer come one after another: its files stay open until another layer's turn. */
  async #layers(index: number): Promise<readonly RunLayer[]> {
    if (this.#open[0]?.layer !== index) {
      await Promise.all(this.#open.map((layer) => layer.close()));
      this.#open = [];
      this.#open = await Promise.all(this.#runs.map((run) => run.layer(index)));
    }
    return this.#open;
  }

  /** Rates, means, contrasts and pattern summaries of a layer. */
  async #ofFolds(type: UnitType, layers: readonly RunLayer[]): Promise<ChangeResult> {
    const { languages: tags, folds } = this.#runs[0].manifest.plan;
    const languages = tags.length;
    const has = (name: StatisticName) => layers.every(({ names }) => names.has(name));
    const { rate, mean } = statisticsOf(type, layers[0]!.names);
    const made: [LanguageArray, StatisticName, (means: Float64Array) => Float64Array][] = [];
    if (rate !== null && has(rate)) made.push(['rate', rate, (own) => own]);
    if (has(mean)) {
      made.push(['mean', mean, (own) => own], ['contrast', mean, (own) => contrast(own, languages)]);
    }
    for (const [name, { array }] of Object.entries(PATTERNS)) {
      if (type === 'head' && has(array)) made.push([name as LanguageArray, array, (own) => own]);
    }
    const scores = made.flatMap(([score]) => tags.map((_, language) => ({ score, language })));
    const [a, b] = await Promise.all(
      layers.map(async (layer) => {
        const sums = await Promise.all(made.map(([, name]) => layer.readStatistic(name)));
        const { shape } = this.#runs[0].manifest;
        const width = (sums[0]?.length ?? 0) / (folds * languages);
        const tokens = await readTokenCounts(layer, type, shape, 0, width);
        return this.#subsets.map((chosen) =>
          joined(
            made.map(([, , of], i) => {
              const units = sums[i]!.length / (folds * languages);
              return of(meanOverTokens(sums[i]!, tokens, { folds, languages, units }, chosen));
            }),
          ),
        );
      }),
    );
    return change(scores, a!, b!);
  }

  /** Scores of the pooled values of some units. */
  async #ofItems(
    type: UnitType,
    layers: readonly RunLayer[],
    unitStart: number,
    unitEnd: number,
  ): Promise<ChangeResult> {
    const blocks = await Promise.all(
      layers.map((layer) => layer.readStoredItems(ITEM_ARRAYS[type], unitStart, unitEnd)),
    );
    const languages = this.#grid!.languages;
    const byLanguage = Array.from({ length: languages }, (_, language) => language);
    const scores: ChangedScore[] = [
      ...ITEM_SCORES.flatMap((score) => byLanguage.map((language) => ({ score, language }))),
      { score: 'overlap', language: null },
      { score: 'mi', language: null },
    ];
    const [a, b] = blocks.map((block) => this.#evaluate(block, scores.length));
    return change(scores, a!, b!);
  }

  /** [sample][score, unit]. */
  #evaluate(block: ItemBlock, scores: number): Float64Array[] {
    const { languages, row } = this.#grid!;
    const units = block.unitEnd - block.unitStart;
    const values = this.#samples.map(() => new Float64Array(scores * units).fill(Number.NaN));
    const own = newItemValues(languages);
    for (const { unit, values: pooled } of unitValues(block, row)) {
      if (!this.#evaluator!.load(pooled, ITEM_PARTS)) continue;
      for (const [s, sample] of this.#samples.entries()) {
        this.#evaluator!.evaluate(sample, ITEM_PARTS, own);
        const to = values[s]!;
        let at = unit;
        for (const score of ITEM_SCORES) {
          for (let k = 0; k < languages; k++, at += units) to[at] = own[score][k]!;
        }
        to[at] = own.overlapMean;
        to[at + units] = own.mi;
      }
    }
    return values;
  }
}

/** @param a, b Values [score, unit] over all folds, then with each left out. */
function change(
  scores: readonly ChangedScore[],
  [reference, ...leftOutOfA]: readonly Float64Array[],
  [other, ...leftOutOfB]: readonly Float64Array[],
): ChangeResult {
  const { se } = paired(reference!, other!, leftOutOfA, leftOutOfB);
  return { scores, reference: reference!, other: other!, se };
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
