import {
  DistributionOverlap,
  ItemEvaluator,
  type ItemParts,
  type ItemSamples,
  type ItemValues,
  informationInterval,
  momentsOf,
  newItemValues,
  type PromptSample,
  type PromptScore,
} from '../../scores/index.js';
import { halfSampleVariance } from '../../stats/index.js';
import { fromFloat16, type PooledGrid } from '../../store/index.js';
import type { ChangedScore } from './change-task.js';
import { paired } from './paired-change.js';

const WHOLE: ItemParts = { ranks: true, mi: true, selectivity: true, overlap: true };
const LEFT_OUT: ItemParts = { ranks: true, mi: false, selectivity: true, overlap: false };
const INFORMATION: ItemParts = { ranks: false, mi: true, selectivity: false, overlap: false };

type Pooled = Uint16Array | Float32Array;

/** One run's scores of a unit, and those on samples that both runs share. */
interface Side {
  /** [score] */
  readonly whole: Float64Array;
  /** [fold left out][row that is jackknifed] */
  readonly leftOut: readonly Float64Array[];
  /** [half][row of half-samples][halving] */
  readonly halves: readonly (readonly Float64Array[])[];
  /** [permutation]: mutual information. */
  readonly permuted: Float64Array;
}

/**
 * How item scores of units change between two runs, with paired standard errors: both runs on the same samples, all
 * languages of an item together. Average precision, AUROC and selectivity: the delete-one-fold jackknife. Overlap and mutual
 * information are counted in bins, on which the jackknife is up to twice too wide: half-samples of the folds,
 * SE² = ¼ mean (Δ of one half − Δ of the other)². Overlap of a half is counted in half as many bins between its own
 * smallest and largest value, since edges differ between runs by chance too. Of mutual information the variance and the
 * mean of Δ under permutations within items, the same in both runs, are taken off as in `itemUncertainty`.
 */
export class ItemChanges {
  readonly scores: readonly ChangedScore[];
  /** Those that the jackknife leaves folds out of, whose rows come first. */
  readonly #jackknifed: readonly PromptScore[];
  readonly #halved: readonly PromptScore[];
  /** Rows of `#jackknifed`. */
  readonly #ranked: number;
  readonly #languages: number;
  readonly #samples: ItemSamples;
  readonly #evaluator: ItemEvaluator;
  /** [half][halving]: prompts of the half, and the sample that they are. */
  readonly #halves: readonly (readonly { readonly prompts: Uint32Array; readonly sample: PromptSample }[])[];
  readonly #overlap: DistributionOverlap;

  constructor(grid: PooledGrid, samples: ItemSamples, definitions: readonly PromptScore[]) {
    const { languages } = grid;
    const rows = ({ name, per }: PromptScore): ChangedScore[] =>
      per === 'unit'
        ? [{ score: name, language: null }]
        : Array.from({ length: languages }, (_, language) => ({ score: name, language }));
    this.#jackknifed = definitions.filter(({ part }) => LEFT_OUT[part]);
    this.#halved = definitions.filter(({ part }) => !LEFT_OUT[part]).reverse();
    const ranked = this.#jackknifed.flatMap(rows);
    this.#ranked = ranked.length;
    this.scores = [...ranked, ...this.#halved.flatMap(rows)];
    this.#languages = languages;
    this.#samples = samples;
    this.#evaluator = new ItemEvaluator(grid);
    this.#halves = [0, 1].map((side) => samples.halvings.map((halving) => alone(halving[side]!)));
    this.#overlap = new DistributionOverlap(grid.item.length, languages);
  }

  /**
   * A unit's scores in both runs, [score] as in `scores`, with the standard error of other − reference; and what is taken off
   * the change of mutual information to centre its interval.
   *
   * @param a, b Values [prompt] of a unit in the reference and in the other run; NaN where one is not finite.
   */
  of(a: Pooled, b: Pooled) {
    const [from, to] = [this.#side(a), this.#side(b)];
    const ranked = this.#ranked;
    const se = new Float64Array(this.scores.length);
    const of = ({ whole }: Side) => whole.subarray(0, ranked);
    se.set(paired(of(from), of(to), from.leftOut, to.leftOut).se);
    let miShift = 0;
    for (let row = ranked; row < this.scores.length; row++) {
      const [first, second] = [0, 1].map((half) =>
        minus(to.halves[half]![row - ranked]!, from.halves[half]![row - ranked]!),
      );
      const variance = halfSampleVariance(first!, second!);
      se[row] = Math.sqrt(variance);
      if (this.scores[row]!.score !== 'mi') continue;
      const change = to.whole[row]! - from.whole[row]!;
      const permuted = momentsOf(minus(to.permuted, from.permuted));
      const mi = informationInterval(change, variance, permuted, this.#samples);
      se[row] = mi.se;
      miShift = Number.isNaN(mi.se) ? 0 : change - (mi.low + mi.high) / 2;
    }
    return { reference: from.whole, other: to.whole, se, miShift };
  }

  #side(values: Pooled): Side {
    const { whole, foldsLeftOut, halvings, permutations } = this.#samples;
    const ranked = this.#ranked;
    const halved = this.scores.length - ranked;
    const side: Side = {
      whole: nothing(this.scores.length),
      leftOut: foldsLeftOut.map(() => nothing(ranked)),
      halves: [0, 1].map(() => Array.from({ length: halved }, () => nothing(halvings.length))),
      permuted: nothing(permutations.length),
    };
    const evaluator = this.#evaluator;
    if (!evaluator.load(values, WHOLE)) return side;
    const own = newItemValues(this.#languages);
    evaluator.evaluate(whole, WHOLE, own);
    side.whole.set(valuesOf([...this.#jackknifed, ...this.#halved], own));
    for (const [g, sample] of foldsLeftOut.entries()) {
      evaluator.evaluate(sample, LEFT_OUT, own);
      side.leftOut[g]!.set(valuesOf(this.#jackknifed, own));
    }
    const wide = values instanceof Uint16Array ? fromFloat16(values) : values;
    for (const [half, samples] of this.#halves.entries()) {
      const to = side.halves[half]!;
      for (const [h, { prompts, sample }] of samples.entries()) {
        evaluator.evaluateHalf(halvings[h]![half]!, INFORMATION, own);
        this.#overlap.load(Float32Array.from(prompts, (prompt) => wide[prompt]!));
        this.#overlap.count(sample, 1);
        own.overlapMean = this.#overlap.means(own.overlap);
        for (const [row, value] of valuesOf(this.#halved, own).entries()) to[row]![h] = value;
      }
    }
    for (const [n, permutation] of permutations.entries()) {
      evaluator.evaluate(permutation, INFORMATION, own);
      side.permuted[n] = own.mi;
    }
    return side;
  }
}

/** The values of some scores in one row: those of a score of languages, language by language. */
function valuesOf(definitions: readonly PromptScore[], values: ItemValues): number[] {
  return definitions.flatMap(({ evaluate }) => {
    const own = evaluate(values);
    return typeof own === 'number' ? [own] : [...own];
  });
}

/** The prompts of a sample that count, and those by themselves. */
function alone({ labels, weights }: PromptSample) {
  const prompts = Uint32Array.from(labels.keys()).filter((prompt) => weights[prompt]! > 0);
  const sample = {
    labels: Uint8Array.from(prompts, (prompt) => labels[prompt]!),
    weights: new Uint8Array(prompts.length).fill(1),
    total: prompts.length,
  };
  return { prompts, sample };
}

function minus(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]!);
}

function nothing(length: number): Float64Array {
  return new Float64Array(length).fill(Number.NaN);
}
