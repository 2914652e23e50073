import {
  blockSums,
  contrast,
  exclusivity,
  itemSamples,
  type LanguageArray,
  PATTERNS,
  statisticsOf,
  twoWay,
  unitValues,
  vectorShare,
} from '../scores/index.js';
import {
  ITEM_ARRAYS,
  type ItemBlock,
  meanOverTokens,
  openRun,
  type PooledGrid,
  type Run,
  type RunLayer,
  readPooledGrid,
  readTokenCounts,
  type StatisticName,
  type UnitType,
} from '../store/index.js';
import type { ChangedScore, ChangedShare, ChangeResult, ChangeSettings, ChangeTask } from './change-task.js';
import { ItemChanges } from './item-changes.js';
import { paired } from './paired-change.js';

/** Permutations that say what mutual information varies by where languages tell nothing: to a seventh of its variance. */
const PERMUTATIONS = 100;

/** Computes changes between two runs, layer by layer. */
export class ChangeTaskRunner {
  readonly #runs: readonly [Run, Run];
  /** All folds, then each left out once. */
  readonly #subsets: readonly (readonly number[])[];
  readonly #grid: PooledGrid | null;
  readonly #items: ItemChanges | null;
  #open: readonly RunLayer[] = [];

  private constructor(
    runs: readonly [Run, Run],
    folds: readonly number[],
    grid: PooledGrid | null,
    seed: number,
  ) {
    this.#runs = runs;
    this.#subsets = [folds, ...folds.map((left) => folds.filter((fold) => fold !== left))];
    this.#grid = grid;
    const resampling = { draws: 0, permutations: PERMUTATIONS, seed };
    this.#items = grid && new ItemChanges(grid, itemSamples(grid, [], resampling));
  }

  static async start({ reference, other, folds, seed }: ChangeSettings): Promise<ChangeTaskRunner> {
    const runs = [await openRun(reference), await openRun(other)] as const;
    // Their prompts are the same: `assertMatch`.
    return new ChangeTaskRunner(runs, folds, await readPooledGrid(runs[0]), seed);
  }

  async run(task: ChangeTask): Promise<ChangeResult> {
    const layers = await this.#layers(task.layer);
    return task.kind === 'folds' ? this.#ofFolds(task, layers) : this.#ofItems(task, layers);
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

  /** Rates, means, contrasts and pattern summaries of some units; of experts exclusivity. */
  async #ofFolds(
    { type, unitStart, unitEnd }: ChangeTask,
    layers: readonly RunLayer[],
  ): Promise<ChangeResult> {
    const { languages: tags, folds } = this.#runs[0].manifest.plan;
    const languages = tags.length;
    const has = (name: StatisticName) => layers.every(({ names }) => names.has(name));
    const { rate, mean } = statisticsOf(type, layers[0]!.names);
    const made: [ChangedScore['score'], StatisticName, (means: Float64Array) => Float64Array][] = [];
    if (rate !== null && has(rate)) made.push(['rate', rate, (own) => own]);
    if (type === 'expert' && has('expert.count')) {
      made.push(['exclusivity', 'expert.count', (own) => exclusivity(own, languages)]);
    }
    if (has(mean)) {
      made.push(['mean', mean, (own) => own], ['contrast', mean, (own) => contrast(own, languages)]);
    }
    for (const [name, { array }] of Object.entries(PATTERNS)) {
      if (type === 'head' && has(array)) made.push([name as LanguageArray, array, (own) => own]);
    }
    const scores = made.flatMap(([score]): ChangedScore[] =>
      score === 'exclusivity'
        ? [{ score, language: null }]
        : tags.map((_, language) => ({ score, language })),
    );
    const foldShape = { folds, languages, units: unitEnd - unitStart };
    const [a, b] = await Promise.all(
      layers.map(async (layer) => {
        const sums = await Promise.all(made.map(([, name]) => layer.readStatistic(name, unitStart, unitEnd)));
        const { shape } = this.#runs[0].manifest;
        const tokens = await readTokenCounts(layer, type, shape, unitStart, unitEnd);
        return this.#subsets.map((chosen) =>
          joined(made.map(([, , of], i) => of(meanOverTokens(sums[i]!, tokens, foldShape, chosen)))),
        );
      }),
    );
    return change(scores, a!, b!);
  }

  /** Scores of the pooled values of some units. */
  async #ofItems(
    { type, unitStart, unitEnd }: ChangeTask,
    layers: readonly RunLayer[],
  ): Promise<ChangeResult> {
    const blocks = await Promise.all(
      layers.map((layer) => layer.readStoredItems(ITEM_ARRAYS[type], unitStart, unitEnd)),
    );
    const shares = await this.#ofShares(type, layers, blocks);
    const ranked = this.#items!.scores;
    const units = unitEnd - unitStart;
    const after = (of: Float64Array) => joined([new Float64Array(ranked.length * units), of]);
    const result = {
      scores: [...ranked, ...shares.scores],
      reference: after(shares.reference),
      other: after(shares.other),
      se: after(shares.se),
      miShift: new Float64Array(units),
    };
    const [a, b] = blocks.map((block) => unitValues(block, this.#grid!.row));
    for (const { unit, values } of a!) {
      const { reference, other, se, miShift } = this.#items!.of(values, b!.next().value!.values);
      for (let score = 0, at = unit; score < ranked.length; score++, at += units) {
        result.reference[at] = reference[score]!;
        result.other[at] = other[score]!;
        result.se[at] = se[score]!;
      }
      result.miShift[unit] = miShift;
    }
    return result;
  }

  /** Shares of variance among the items that every language has. */
  async #ofShares(
    type: UnitType,
    layers: readonly RunLayer[],
    blocks: readonly ItemBlock[],
  ): Promise<ChangeResult> {
    const { unitStart, unitEnd } = blocks[0]!;
    const hasVectors = type === 'head' && layers.every((layer) => layer.names.has('head.items'));
    const names: readonly ChangedShare[] = [
      'eta2_language',
      'omega2_item',
      ...(hasVectors ? (['vector_share_item'] as const) : []),
    ];
    const [a, b] = await Promise.all(
      layers.map(async (layer, run) => {
        const sums = blockSums(blocks[run]!, this.#grid!);
        const vectors = hasVectors
          ? blockSums(await layer.readStoredItems('head.items', unitStart, unitEnd), this.#grid!)
          : null;
        return this.#subsets.map((chosen) => {
          const { eta2Language, omega2Item } = twoWay(sums, chosen);
          const share = vectors && vectorShare(vectors, vectors.units / sums.units, chosen).item;
          return joined([eta2Language, omega2Item, ...(share === null ? [] : [share])]);
        });
      }),
    );
    return change(
      names.map((score) => ({ score, language: null })),
      a!,
      b!,
    );
  }
}

/** @param a, b Values [score, unit] over all folds, then with each left out. */
function change(
  scores: readonly ChangedScore[],
  [reference, ...leftOutOfA]: readonly Float64Array[],
  [other, ...leftOutOfB]: readonly Float64Array[],
): ChangeResult {
  const { se } = paired(reference!, other!, leftOutOfA, leftOutOfB);
  return { scores, reference: reference!, other: other!, se, miShift: new Float64Array() };
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
