import { halfSampleError, jackknife, studentTQuantile } from '../stats/index.js';
import type { Estimate } from './comparison.js';
import { finiteOrNull } from './numbers.js';
import type { Quantity, Range } from './quantities/quantity.js';

/** Coverage of every interval of a comparison. */
const CONFIDENCE = 0.95;

/** A number over all folds, and over everything that its uncertainty is made from. NaN: cannot be computed. */
export interface OverFolds {
  readonly value: number;
  /** With each fold left out. */
  readonly leaveOneOut: readonly number[];
  /** [split]: over one random half of the folds, and over the other. */
  readonly halves: { readonly first: readonly number[]; readonly second: readonly number[] };
  /** In which something was counted. */
  readonly folds: number;
}

/** A standard error and its degrees of freedom; NaN: not measured. */
export interface Uncertainty {
  readonly se: number;
  readonly df: number;
}

/**
 * A mean is smooth: its error is the delete-one-fold jackknife's. Counts under a cut, sets and ranks jump, and the jackknife takes
 * each jump for many; their error is the spread of halves of the folds.
 */
export function uncertaintyOf(
  { isSmooth }: Pick<Quantity, 'isSmooth'>,
  { value, leaveOneOut, halves, folds }: OverFolds,
): Uncertainty {
  if (isSmooth) return { se: jackknife(value, leaveOneOut).se, df: folds - 1 };
  return halfSampleError(halves.first, halves.second, folds);
}

/** value ± t_df SE, clipped to the range. A number other than 0 that never varied has shown no error, and has no interval. */
export function estimateOf(value: number, { se, df }: Uncertainty, [min, max]: Range): Estimate {
  const half = se > 0 ? studentTQuantile((1 + CONFIDENCE) / 2, df) * se : value === 0 ? se : Number.NaN;
  const isKnown = Number.isFinite(value) && Number.isFinite(half);
  return {
    value: finiteOrNull(value),
    low: isKnown ? Math.max(min, value - half) : null,
    high: isKnown ? Math.min(max, value + half) : null,
  };
}
