import { studentTQuantile } from '../tests/distributions.js';

/** Estimates of units with their standard errors and intervals; arrays are [unit]. */
export interface UnitIntervals {
  readonly value: Float64Array;
  readonly se: Float64Array;
  readonly low: Float64Array;
  readonly high: Float64Array;
}

/** One estimate with its standard error and interval. */
export interface Interval {
  readonly value: number;
  readonly se: number;
  readonly low: number;
  readonly high: number;
}

export interface JackknifeBounds {
  /** The score's range; interval ends are clipped to it. Default: unbounded. */
  readonly min?: number;
  readonly max?: number;
  /** Two-sided coverage. Default 0.95. */
  readonly confidence?: number;
}

/**
 * Delete-one-group jackknife (Tukey, 1958): SE² = (G − 1)/G Σ_g (θ₋g − θ̄)² over the G leave-one-out estimates,
 * interval θ ± t_{G−1} SE. A NaN among `value` and `replicates`, or G < 2, gives NaN: an estimate that exists only
 * thanks to one group has no jackknife error.
 */
export function jackknife(
  value: number,
  replicates: ArrayLike<number>,
  bounds: JackknifeBounds = {},
): Interval {
  const { se, low, high } = jackknifeUnits(
    Float64Array.of(value),
    Array.from(replicates, (replicate) => Float64Array.of(replicate)),
    bounds,
  );
  return { value, se: se[0]!, low: low[0]!, high: high[0]! };
}

/** `jackknife` of many units at once: `value` is [unit], `replicates` one [unit] array a left-out group. */
export function jackknifeUnits(
  value: Float64Array,
  replicates: readonly Float64Array[],
  { min = -Infinity, max = Infinity, confidence = 0.95 }: JackknifeBounds = {},
): UnitIntervals {
  const groups = replicates.length;
  const units = value.length;
  const se = new Float64Array(units).fill(Number.NaN);
  const low = new Float64Array(units).fill(Number.NaN);
  const high = new Float64Array(units).fill(Number.NaN);
  if (groups < 2) return { value, se, low, high };
  const t = studentTQuantile(1 - (1 - confidence) / 2, groups - 1);
  for (let u = 0; u < units; u++) {
    let mean = 0;
    for (let g = 0; g < groups; g++) mean += replicates[g]![u]!;
    mean /= groups;
    let squares = 0;
    for (let g = 0; g < groups; g++) {
      const deviation = replicates[g]![u]! - mean;
      squares += deviation * deviation;
    }
    const error = Math.sqrt(((groups - 1) / groups) * squares);
    if (Number.isNaN(value[u]!) || !Number.isFinite(error)) continue;
    se[u] = error;
    low[u] = Math.max(min, value[u]! - t * error);
    high[u] = Math.min(max, value[u]! + t * error);
  }
  return { value, se, low, high };
}

/**
 * Sampling variance of an estimate from estimates of disjoint halves A and B of the data, over random halvings:
 * SE² = ¼ mean (θ_A − θ_B)² (balanced half-samples: McCarthy, 1969; subsampling: Politis, Romano & Wolf, 1999). For an
 * estimate that adds up it is the delete-one-group jackknife's. Where an estimate has kinks (a minimum of two counts)
 * the jackknife sees only one side of each; two halves differ by as much as samples do. Supposes that half the data
 * has twice the variance.
 *
 * @param first [halving]
 * @param second [halving]
 * @returns NaN without halvings, or with a NaN among the estimates
 */
export function halfSampleVariance(first: ArrayLike<number>, second: ArrayLike<number>): number {
  let squares = 0;
  for (let h = 0; h < first.length; h++) squares += (first[h]! - second[h]!) ** 2;
  return squares / (4 * first.length);
}

/** value ± t SE, t with one degree of freedom fewer than there are groups; NaN with fewer than two groups. */
export function studentInterval(
  value: number,
  variance: number,
  groups: number,
  { min = -Infinity, max = Infinity, confidence = 0.95 }: JackknifeBounds = {},
): Omit<Interval, 'value'> {
  const se = Math.sqrt(variance);
  if (groups < 2 || Number.isNaN(value) || !Number.isFinite(se)) {
    return { se: Number.NaN, low: Number.NaN, high: Number.NaN };
  }
  const half = studentTQuantile(1 - (1 - confidence) / 2, groups - 1) * se;
  return { se, low: Math.max(min, value - half), high: Math.min(max, value + half) };
}
