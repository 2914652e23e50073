import { studentTQuantile } from '../tests/distributions.js';
import type { JackknifeBounds } from './jackknife.js';

/** Relative size of rounding errors. */
const ROUNDING = 1e-12;

/** An error, and the freedom that it was estimated with. */
export interface HalfSampleError {
  readonly se: number;
  readonly df: number;
}

/**
 * Standard error of an estimate from its values over halves of the folds: their standard deviation (subsampling without replacement,
 * Politis, Romano & Wolf, 1999, 2.3, at half the size, where the correction for a finite number of folds makes the scale 1).
 * Of an estimate that adds up it is the delete-one-fold jackknife's. A half strays from the whole by as much as the whole
 * from the truth, so a count under a cut has the right error too. The difference of two disjoint halves has not: each
 * strays √2 times as far from the truth, and the variance of a count does not grow as fast as that of a mean.
 *
 * The freedom is that of a variance over G folds, known from R splits alone: 1/(1/(G − 1) + 1/R).
 *
 * @param first [split], over one half; `second` over the other.
 * @returns NaN without splits, with fewer than two folds, or with a NaN among the values.
 */
export function halfSampleError(
  first: readonly number[],
  second: readonly number[],
  folds: number,
): HalfSampleError {
  const splits = first.length;
  const values = [...first, ...second];
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  if (folds < 2 || !Number.isFinite(variance)) return { se: Number.NaN, df: Number.NaN };
  // Values that only the order of additions sets apart do not vary.
  const isRounding = Math.sqrt(variance) <= ROUNDING * Math.max(...values.map(Math.abs));
  return { se: isRounding ? 0 : Math.sqrt(variance), df: 1 / (1 / (folds - 1) + 1 / splits) };
}

/** value ± t_df SE, clipped; NaN where one of them is. */
export function halfSampleInterval(
  value: number,
  { se, df }: HalfSampleError,
  { min = -Infinity, max = Infinity, confidence = 0.95 }: JackknifeBounds = {},
): { readonly low: number; readonly high: number } {
  const half = studentTQuantile(1 - (1 - confidence) / 2, df) * se;
  if (Number.isNaN(value) || Number.isNaN(half)) return { low: Number.NaN, high: Number.NaN };
  return { low: Math.max(min, value - half), high: Math.min(max, value + half) };
}
