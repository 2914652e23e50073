import { samplingFloor } from '../src/compare/floors.js';
import {
  ExchangedSums,
  exchangePValue,
  halfSampleError,
  halfSampleInterval,
  halfSampleVariance,
  jackknife,
  randomHalves,
  studentInterval,
} from '../src/stats/index.js';
import { Random } from '../src/stats/sampling/random.js';
import { countOf, depthDistance, jaccard, type Profile, type PseudoRuns, selectedBy } from './pseudo-run.js';

/** Measures of a comparison that a verdict is given on. */
export const JUDGED = ['selected', 'meanEntropy', 'meanOmega2', 'jaccard', 'depthDistance'] as const;
export type Judged = (typeof JUDGED)[number];

export const RULES = ['floor', 'jackknife', 'halfSample', 'exchangeOneCut', 'exchange'] as const;
export type Rule = (typeof RULES)[number];

/** Layers of the demo's models. */
const LAYERS = 8;
const SPLITS = 50;
const LEVEL = 0.05;

/** What all rules say of one comparison. */
export interface Verdicts {
  /** The change, or the number between the two runs. */
  readonly value: Readonly<Record<Judged, number>>;
  /** Whether the rule calls it changed; absent where the rule says nothing of such a number. */
  readonly called: Readonly<Record<Judged, Partial<Record<Rule, boolean>>>>;
  /** Of halves, with the cut of the whole run: by the spread of halves, and by the difference of the two of a split. */
  readonly intervals: Readonly<Record<Judged, Readonly<Record<IntervalOf, readonly [number, number]>>>>;
}
export const INTERVALS = ['jackknife', 'halfDifference', 'halfSample'] as const;
export type IntervalOf = (typeof INTERVALS)[number];

type Values = Readonly<Record<Judged, number>>;

/** The mean of the changes under either run's cut: labels may be swapped without a lean to one side. */
function bothWays(a: Profile, b: Profile): Values {
  const [one, other] = [changes(a, b), changes(a, b, b)];
  return Object.fromEntries(
    JUDGED.map((measure) => [measure, (one[measure] + other[measure]) / 2]),
  ) as Values;
}

/** Changes a → b under a's own cut, or one that is held fixed. */
function changes(a: Profile, b: Profile, cut: Pick<Profile, 'bar' | 'cut'> = a): Values {
  const [ofA, ofB] = [selectedBy(a, cut), selectedBy(b, cut)];
  return {
    selected: countOf(ofB) - countOf(ofA),
    meanEntropy: b.meanEntropy - a.meanEntropy,
    meanOmega2: b.meanOmega2 - a.meanOmega2,
    jaccard: jaccard(ofA, ofB),
    depthDistance: depthDistance(ofA, ofB, LAYERS),
  };
}

/**
 * Judges the change between two runs by every rule.
 *
 * @param first [fold, width], as is `second`.
 * @param draws Of the exchange test.
 */
export function verdictsOf(
  runs: PseudoRuns,
  first: Float64Array,
  second: Float64Array,
  { draws, seed }: { readonly draws: number; readonly seed: number },
): Verdicts {
  const { width } = runs;
  const folds = first.length / width;
  const sums = new Float64Array(width);
  const over = (run: Float64Array, chosen: readonly number[]): Profile => {
    sums.fill(0);
    for (const fold of chosen) {
      const start = fold * width;
      for (let at = 0; at < width; at++) sums[at]! += run[start + at]!;
    }
    return runs.profile(sums);
  };
  const all = Array.from({ length: folds }, (_, fold) => fold);
  const [a, b] = [over(first, all), over(second, all)];
  const value = changes(a, b);

  const leftOut = all.map((left) => {
    const rest = all.filter((fold) => fold !== left);
    return changes(over(first, rest), over(second, rest), a);
  });
  const [allA, allB] = [total(first, width), total(second, width)];
  const halves = randomHalves(folds, SPLITS, seed).map(({ first: chosen }) => {
    const sides = (run: Float64Array, whole: Float64Array) => {
      const near = over(run, chosen);
      for (let at = 0; at < width; at++) sums[at] = whole[at]! - sums[at]!;
      return [near, runs.profile(sums)];
    };
    return { a: sides(first, allA), b: sides(second, allB) };
  });
  const within = (own: 'a' | 'b') => halves.map((half) => changes(half[own][0]!, half[own][1]!, a));
  const [withinA, withinB] = [within('a'), within('b')];
  const across = halves.flatMap((half) => [
    changes(half.a[0]!, half.b[1]!, a),
    changes(half.a[1]!, half.b[0]!, a),
  ]);
  const sizes = (of: readonly Values[], measure: Judged) => of.map((one) => size(one[measure], measure));
  const fixedCut = [0, 1].map((side) => halves.map((half) => changes(half.a[side]!, half.b[side]!, a)));

  const exchanged = new ExchangedSums(first, second, width);
  const random = new Random(seed + 1);
  const [pseudoA, pseudoB] = [new Float64Array(width), new Float64Array(width)];
  const statistics = [{ one: value, both: bothWays(a, b) }];
  for (let n = 0; n < draws; n++) {
    const mask = Uint8Array.from({ length: folds }, () => random.integer(2));
    exchanged.pseudoRuns(mask, pseudoA, pseudoB);
    const [one, other] = [runs.profile(pseudoA), runs.profile(pseudoB)];
    statistics.push({ one: changes(one, other), both: bothWays(one, other) });
  }

  const intervals = (measure: Judged): Record<IntervalOf, readonly [number, number]> => {
    const byJackknife = jackknife(
      value[measure],
      leftOut.map((of) => of[measure]),
    );
    const [x, y] = fixedCut.map((side) => side.map((one) => one[measure]));
    const byDifference = studentInterval(value[measure], halfSampleVariance(x!, y!), folds);
    const bySpread = halfSampleInterval(value[measure], halfSampleError(x!, y!, folds));
    return {
      jackknife: [byJackknife.low, byJackknife.high],
      halfDifference: [byDifference.low, byDifference.high],
      halfSample: [bySpread.low, bySpread.high],
    };
  };
  const called = (measure: Judged): Partial<Record<Rule, boolean>> => {
    const direction = measure === 'jaccard' ? 'similarity' : 'difference';
    const floor = samplingFloor(
      sizes(withinA, measure),
      sizes(withinB, measure),
      sizes(across, measure),
      direction,
    );
    const isSigned = measure !== 'jaccard' && measure !== 'depthDistance';
    const alternative = isSigned ? 'two-sided' : measure === 'jaccard' ? 'less' : 'greater';
    const pOf = (which: 'one' | 'both') =>
      exchangePValue(
        statistics.map((of) => of[which][measure]),
        alternative,
        which === 'both' && isSigned ? 'negates' : 'neither',
      );
    const excludes = ([low, high]: readonly [number, number]) => low > 0 || high < 0;
    const own = isSigned ? intervals(measure) : null;
    return {
      floor: floor.verdict === 'changed',
      ...(own === null ? {} : { jackknife: excludes(own.jackknife), halfSample: excludes(own.halfSample) }),
      exchangeOneCut: pOf('one') <= LEVEL,
      exchange: pOf('both') <= LEVEL,
    };
  };
  return {
    value,
    called: Object.fromEntries(JUDGED.map((measure) => [measure, called(measure)])) as Verdicts['called'],
    intervals: Object.fromEntries(
      JUDGED.map((measure) => [measure, intervals(measure)]),
    ) as Verdicts['intervals'],
  };
}

/** The sum of all folds. */
function total(run: Float64Array, width: number): Float64Array {
  const sum = new Float64Array(width);
  for (let start = 0; start < run.length; start += width) {
    for (let at = 0; at < width; at++) sum[at]! += run[start + at]!;
  }
  return sum;
}

/** Signed differences enter floors as absolute values. */
function size(value: number, measure: Judged): number {
  return measure === 'jaccard' ? value : Math.abs(value);
}
