import {
  bootstrapInterval,
  distanceInterval,
  halfSampleVariance,
  jackknife,
  studentInterval,
} from '../../stats/index.js';
import type { ItemEvaluator } from './item-evaluator.js';
import type { ItemSamples } from './item-samples.js';
import {
  type ItemParts,
  type ItemUncertainty,
  type ItemValues,
  newItemValues,
  type PermutationP,
  type Spread,
} from './item-values.js';

/**
 * Intervals and p-values of the unit that was loaded last.
 *
 * Intervals: for selectivity and AUROC the percentile bootstrap over items. For average precision the delete-one-fold
 * jackknife: a resample holds items twice, which raises precision, and neither the percentiles nor the pivotal interval
 * cover where languages lie far apart. Mutual information and overlap are counted in bins, which a
 * resample fills differently, and which the jackknife, seeing one side of every kink, makes too wide: for them random
 * half-samples of the folds, and for mutual information, which has an end at 0, `distanceInterval`. `figures/validation` shows
 * what each covers.
 *
 * p = (1 + #{null ≥ observed}) / (1 + permutations) (Phipson & Smyth, 2010), with languages permuted within items. The
 * null is that languages are alike in everything, variance included: see `withinItemPermutation`.
 */
export function itemUncertainty(
  evaluator: ItemEvaluator,
  samples: ItemSamples,
  parts: ItemParts,
  whole: ItemValues,
): ItemUncertainty {
  const { draws, foldsLeftOut } = samples;
  const folds = foldsLeftOut.length;
  const drawn: ItemParts = { ...parts, mi: false, overlap: false };
  const whenLeftOut: ItemParts = { ...drawn, selectivity: false };
  const ofDraws = gathered(whole, draws, (draw, out) => evaluator.evaluate(draw, drawn, out));
  const left = gathered(whole, foldsLeftOut, (sample, out) => evaluator.evaluate(sample, whenLeftOut, out));
  const [first, second] = [0, 1].map((side) =>
    gathered(whole, samples.halvings, (halving, out) => evaluator.evaluateHalf(halving[side]!, parts, out)),
  ) as [Gathered, Gathered];
  const unit = { min: 0, max: 1 };
  const { p, mi } = permuted(evaluator, samples, { ...parts, overlap: false }, whole);
  return {
    ...(parts.ranks && {
      ap: left.ap.map((own, k) => jackknife(whole.ap[k]!, own, unit)),
      auroc: ofDraws.auroc.map((own, k) => bootstrapInterval(whole.auroc[k]!, own, unit)),
    }),
    ...(parts.selectivity && {
      selectivity: ofDraws.selectivity.map((own, k) => bootstrapInterval(whole.selectivity[k]!, own)),
    }),
    ...(parts.mi && {
      mi: informationDistance(whole, halfSampleVariance(first.mi, second.mi), mi, samples),
    }),
    ...(parts.overlap && {
      overlap: first.overlap.map((own, k) =>
        studentInterval(whole.overlap[k]!, halfSampleVariance(own, second.overlap[k]!), folds, unit),
      ),
      overlapMean: studentInterval(
        whole.overlapMean,
        halfSampleVariance(first.overlapMean, second.overlapMean),
        folds,
        unit,
      ),
    }),
    p,
  };
}

/** Share of prompts that permutations may leave where they are, and still show what chance alone gives. */
const MAX_FIXED = 0.05;

/** Mean and variance under permutation. */
export interface Permuted {
  readonly mean: number;
  readonly variance: number;
}

/**
 * Interval of a change of mutual information (or, without permutations, of mutual information): value ± t SE. Permutations
 * show what there is where languages tell nothing: its mean, which is not 0 because the correction of Miller and Madow takes
 * prompts of one item for independent, is taken off the centre. Of its variance, which falls with the square of the items,
 * halves hold four times as much and hence SE² twice; once is taken off, but not more than half of SE².
 */
export function informationInterval(
  value: number,
  variance: number,
  null_: Permuted,
  samples: ItemSamples,
): Spread {
  const folds = samples.foldsLeftOut.length;
  return isNullKnown(null_, samples)
    ? studentInterval(value - null_.mean, Math.max(variance / 2, variance - null_.variance), folds)
    : studentInterval(value, variance, folds);
}

/**
 * Interval of mutual information: the plug-in estimate is a distance from languages that are told by nothing, and what it
 * is on average there is known from permutations. That halves hold the variance there twice is what `distanceInterval`
 * supposes.
 */
function informationDistance(
  { mi, miCorrection }: ItemValues,
  variance: number,
  null_: Permuted,
  samples: ItemSamples,
): Spread {
  const symmetric = informationInterval(mi, variance, null_, samples);
  if (!isNullKnown(null_, samples)) return symmetric;
  const [plugIn, bias] = [Math.max(0, mi - miCorrection), null_.mean - miCorrection];
  const ends = distanceInterval(plugIn, bias, Math.sqrt(variance), samples.foldsLeftOut.length);
  return { se: symmetric.se, ...ends };
}

function isNullKnown({ variance }: Permuted, { permutable }: ItemSamples): boolean {
  return permutable >= 1 - MAX_FIXED && !Number.isNaN(variance);
}

/** Scores of a unit on many samples, [language][sample] or [sample]. */
type Gathered = ReturnType<typeof gathered>;

function gathered<Sample>(
  { ap: { length: languages } }: ItemValues,
  samples: readonly Sample[],
  evaluate: (sample: Sample, out: ItemValues) => void,
) {
  const own = newItemValues(languages);
  const each = () => Array.from({ length: languages }, () => new Float64Array(samples.length));
  const all = { ap: each(), auroc: each(), selectivity: each(), overlap: each() };
  const [overlapMean, mi] = [new Float64Array(samples.length), new Float64Array(samples.length)];
  for (const [n, sample] of samples.entries()) {
    evaluate(sample, own);
    for (const name of ['ap', 'auroc', 'selectivity', 'overlap'] as const) {
      for (let k = 0; k < languages; k++) all[name][k]![n] = own[name][k]!;
    }
    overlapMean[n] = own.overlapMean;
    mi[n] = own.mi;
  }
  return { ...all, overlapMean, mi };
}

/** p-values; mean and variance of mutual information under permutation, NaN without permutations. */
function permuted(
  evaluator: ItemEvaluator,
  { permutations }: ItemSamples,
  parts: ItemParts,
  whole: ItemValues,
): { readonly p: PermutationP; readonly mi: Permuted } {
  const languages = whole.ap.length;
  const null_ = newItemValues(languages);
  const atLeast: PermutationP = {
    ap: new Float64Array(languages),
    auroc: new Float64Array(languages),
    selectivity: new Float64Array(languages),
    selectivityBest: 0,
    mi: 0,
    twoWay: 0,
  };
  const best = Math.max(...whole.selectivity);
  const information = new Float64Array(permutations.length);
  for (const [n, permutation] of permutations.entries()) {
    evaluator.evaluate(permutation, parts, null_);
    let highest = -Infinity;
    for (let k = 0; k < languages; k++) {
      if (reaches(null_.ap[k]!, whole.ap[k]!)) atLeast.ap[k]! += 1;
      if (reaches(Math.abs(null_.auroc[k]! - 0.5), Math.abs(whole.auroc[k]! - 0.5))) atLeast.auroc[k]! += 1;
      if (reaches(null_.selectivity[k]!, whole.selectivity[k]!)) atLeast.selectivity[k]! += 1;
      highest = Math.max(highest, null_.selectivity[k]!);
    }
    if (reaches(highest, best)) atLeast.selectivityBest++;
    information[n] = null_.mi;
    if (reaches(null_.mi, whole.mi)) atLeast.mi++;
    if (reaches(null_.languageSquares, whole.languageSquares)) atLeast.twoWay++;
  }
  const p = (count: number, observed: number) =>
    permutations.length === 0 || Number.isNaN(observed)
      ? Number.NaN
      : (1 + count) / (1 + permutations.length);
  return {
    p: {
      ap: atLeast.ap.map((count, k) => p(count, whole.ap[k]!)),
      auroc: atLeast.auroc.map((count, k) => p(count, whole.auroc[k]!)),
      selectivity: atLeast.selectivity.map((count, k) => p(count, whole.selectivity[k]!)),
      selectivityBest: p(atLeast.selectivityBest, best),
      mi: p(atLeast.mi, whole.mi),
      twoWay: p(atLeast.twoWay, whole.languageSquares),
    },
    mi: momentsOf(information),
  };
}

export function momentsOf(values: Float64Array): Permuted {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, variance: values.length > 1 ? squares / (values.length - 1) : Number.NaN };
}

/** A permutation that changes nothing gives the observed value but for the order of additions. */
function reaches(permuted: number, observed: number): boolean {
  return permuted >= observed - 1e-12 * Math.abs(observed);
}
