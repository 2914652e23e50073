import { studentTQuantile } from '../tests/distributions.js';
import { type Interval, jackknifeUnits, type UnitIntervals } from './jackknife.js';

const ALPHA = 0.05;

/** Distances of units with their jackknife bias and the interval of the distance without it; arrays are [unit]. */
export interface DistanceIntervals extends UnitIntervals {
  readonly bias: Float64Array;
}

/**
 * 95 % interval of a distance θ ≥ 0 that grows with the square of small deviations, so that its estimate T is too high by
 * `bias` where θ = 0, and neither normal nor symmetric near there: what languages differ by, as a sum of squares or an
 * entropy.
 *
 * T is a sum of squares of about normal deviations, so it is taken for a multiple of a noncentral χ²: of mean bias + θ and
 * variance 2 g bias + 4 g θ. The jackknife's SE² is 4 g T, which says what g is; no direction has more variance than all
 * have, so g is at most the bias where T is. The distribution is brought to the normal one by Sankaran's power
 * (Biometrika, 1963), and its quantiles are Student's with groups − 1 degrees of freedom. The interval holds every θ
 * under which T is in neither tail. Of ALPHA the lower tail has w/2 and the upper one 1 − w/2, where w = 2θ / (bias + 2θ) is
 * the share of the variance that comes of θ (tail functions: Puza & O'Neill, Can. J. Stat., 2006): two-sided where θ is
 * clear, one-sided at its end, so that 0 is held exactly where T says nothing against it at the level of 5 %, and
 * 95 % are held there as elsewhere (as by Feldman & Cousins, Phys. Rev. D, 1998).
 *
 * @param value T ≥ 0.
 * @param bias What T is on average where θ = 0; below 0 counts as 0.
 * @param se Standard error of T by the jackknife (or by half-samples).
 * @param groups Groups that were left out in turn.
 * @returns NaN with fewer than two groups or a NaN; `value` twice if se = 0.
 */
export function distanceInterval(
  value: number,
  bias: number,
  se: number,
  groups: number,
): Pick<Interval, 'low' | 'high'> {
  if (groups < 2 || Number.isNaN(value + bias) || !Number.isFinite(se)) {
    return { low: Number.NaN, high: Number.NaN };
  }
  const none = Math.max(0, bias);
  const slope = value > none ? se ** 2 / (4 * value) : Math.min(se ** 2 / (4 * value), none);
  if (!(slope > 0)) return { low: value, high: value };
  const critical = criticalValues(groups);
  const share = (theta: number) => (2 * theta) / (none + 2 * theta);
  const tooHigh = (theta: number) =>
    deviate(value, theta, none, slope) > interpolate(critical.above, share(theta));
  const tooLow = (theta: number) =>
    deviate(value, theta, none, slope) < -interpolate(critical.below, share(theta));
  const start = Number.EPSILON * value;
  let most = Math.max(value, none);
  while (most < Number.MAX_VALUE && !tooLow(most)) most *= 2;
  return {
    low: tooHigh(start) ? firstWhere((theta) => !tooHigh(theta), start, value) : 0,
    high: firstWhere(tooLow, start, most),
  };
}

/** `distanceInterval` of many units, bias and SE from the delete-one-group jackknife (Quenouille, 1956; Tukey, 1958). */
export function jackknifeDistances(
  value: Float64Array,
  replicates: readonly Float64Array[],
): DistanceIntervals {
  const groups = replicates.length;
  const { se, low, high } = jackknifeUnits(value, replicates);
  const bias = value.map((own, u) => {
    const mean = replicates.reduce((sum, left) => sum + left[u]!, 0) / groups;
    return (groups - 1) * (mean - own);
  });
  for (let u = 0; u < value.length; u++) {
    const interval = distanceInterval(value[u]!, bias[u]!, se[u]!, groups);
    low[u] = interval.low;
    high[u] = interval.high;
  }
  return { value, se, low, high, bias };
}

/**
 * Where T lies under θ, in standard deviations: Sankaran's (1963) approximation of the noncentral χ² of b/g degrees of
 * freedom and noncentrality θ/g, in units of g. Falls as θ grows.
 */
export function deviate(value: number, theta: number, bias: number, slope: number): number {
  const mean = bias + theta;
  const variance = bias + 2 * theta;
  const h = 1 - (2 * mean * (bias + 3 * theta)) / (3 * variance * variance);
  const p = (slope * variance) / (mean * mean);
  const m = (h - 1) * (1 - 3 * h);
  const centre = 1 + h * p * (h - 1 - 0.5 * (2 - h) * m * p);
  return ((value / mean) ** h - centre) / (h * Math.sqrt(2 * p) * (1 + 0.5 * m * p));
}

/** Bisections of an interval's end: to a part in 10¹² of the bracket. */
const BISECTIONS = 40;

/** The least θ in low … high for which what is false at `low` and true at `high` is true. */
function firstWhere(holds: (theta: number) => boolean, low: number, high: number): number {
  let [without, with_] = [low, high];
  for (let n = 0; n < BISECTIONS; n++) {
    const middle = (without + with_) / 2;
    if (holds(middle)) with_ = middle;
    else without = middle;
  }
  return with_;
}

/** Steps of √w, in which the critical values are near to straight. */
const STEPS = 512;
interface CriticalValues {
  /** [step of √w]: Student's quantiles at 1 − ALPHA (1 − w/2), and at 1 − ALPHA w/2. */
  readonly above: Float64Array;
  readonly below: Float64Array;
}
const known = new Map<number, CriticalValues>();

function criticalValues(groups: number): CriticalValues {
  const own = known.get(groups);
  if (own !== undefined) return own;
  const at = (probability: (w: number) => number) =>
    Float64Array.from({ length: STEPS + 1 }, (_, n) =>
      // Without any share the lower tail is empty: half a step's is as good as none.
      studentTQuantile(1 - probability((Math.max(n, 0.5) / STEPS) ** 2), groups - 1),
    );
  const made = { above: at((w) => ALPHA * (1 - w / 2)), below: at((w) => (ALPHA * w) / 2) };
  known.set(groups, made);
  return made;
}

function interpolate(values: Float64Array, w: number): number {
  const at = STEPS * Math.sqrt(w);
  const step = Math.min(STEPS - 1, Math.floor(at));
  return values[step]! + (at - step) * (values[step + 1]! - values[step]!);
}
