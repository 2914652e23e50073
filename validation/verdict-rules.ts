import { samplingFloor } from '../src/compare/floors.js';
import {
  ExchangedSums,
  exchangePValue,
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

export const RULES = ['floor', 'jackknife', 'halfSample', 'exchange'] as const;
export type Rule = (typeof RULES)[number];

/** Layers of the demo's models. */
const LAYERS = 8;
const SPLITS = 30;
const LEVEL = 0.05;

/** What all rules say of one comparison. */
export interface Verdicts {
  /** The change, or the number between the two runs. */
  readonly value: Readonly<Record<Judged, number>>;
  /** Whether the rule calls it changed; absent where the rule says nothing of such a number. */
  readonly called: Readonly<Record<Judged, Partial<Record<Rule, boolean>>>>;
  /** Intervals, half-samples with the cut of the half and with that of the whole run. */
  readonly intervals: Readonly<
    Record<'selected' | 'meanEntropy' | 'meanOmega2', Readonly<Record<IntervalOf, readonly [number, number]>>>
  >;
}
export const INTERVALS = ['jackknife', 'halfSample', 'halfSampleFixedCut'] as const;
export type IntervalOf = (typeof INTERVALS)[number];

type Values = Readonly<Record<Judged, number>>;

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
  const ownCut = [0, 1].map((side) => halves.map((half) => changes(half.a[side]!, half.b[side]!)));
  const fixedCut = [0, 1].map((side) => halves.map((half) => changes(half.a[side]!, half.b[side]!, a)));

  const exchanged = new ExchangedSums(first, second, width);
  const random = new Random(seed + 1);
  const [pseudoA, pseudoB] = [new Float64Array(width), new Float64Array(width)];
  const statistics = [value];
  for (let n = 0; n < draws; n++) {
    const mask = Uint8Array.from({ length: folds }, () => random.integer(2));
    exchanged.pseudoRuns(mask, pseudoA, pseudoB);
    statistics.push(changes(runs.profile(pseudoA), runs.profile(pseudoB)));
  }

  const intervals = (measure: Judged): Record<IntervalOf, readonly [number, number]> => {
    const byJackknife = jackknife(
      value[measure],
      leftOut.map((of) => of[measure]),
    );
    const byHalves = (of: readonly (readonly Values[])[]): readonly [number, number] => {
      const [x, y] = of.map((side) => side.map((one) => one[measure]));
      const { low, high } = studentInterval(value[measure], halfSampleVariance(x!, y!), folds);
      return [low, high];
    };
    return {
      jackknife: [byJackknife.low, byJackknife.high],
      halfSample: byHalves(ownCut),
      halfSampleFixedCut: byHalves(fixedCut),
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
    const p = exchangePValue(
      statistics.map((of) => of[measure]),
      isSigned ? 'two-sided' : measure === 'jaccard' ? 'less' : 'greater',
    );
    const excludes = ([low, high]: readonly [number, number]) => low > 0 || high < 0;
    const own = isSigned ? intervals(measure) : null;
    return {
      floor: floor.verdict === 'changed',
      ...(own === null ? {} : { jackknife: excludes(own.jackknife), halfSample: excludes(own.halfSample) }),
      exchange: p <= LEVEL,
    };
  };
  return {
    value,
    called: Object.fromEntries(JUDGED.map((measure) => [measure, called(measure)])) as Verdicts['called'],
    intervals: {
      selected: intervals('selected'),
      meanEntropy: intervals('meanEntropy'),
      meanOmega2: intervals('meanOmega2'),
    },
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
