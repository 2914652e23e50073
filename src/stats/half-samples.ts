import type { Interval, JackknifeBounds } from './jackknife.js';
import { studentTQuantile } from './student-t.js';

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
