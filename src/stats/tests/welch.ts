import { studentTQuantile, studentTUpperTail } from './distributions.js';

/** An estimate with its error, the freedom that the error was estimated with, and a test that the truth is 0. */
export interface Tested {
  readonly value: number;
  readonly se: number;
  readonly df: number;
  readonly low: number;
  readonly high: number;
  /** Two-sided. */
  readonly p: number;
}

/** value ± t_df SE and the two-sided t test that the truth is 0; all NaN where one of them is. */
export function studentTest(value: number, se: number, df: number, confidence = 0.95): Tested {
  if (Number.isNaN(value) || !Number.isFinite(se) || !(df > 0)) {
    return { value, se: Number.NaN, df: Number.NaN, low: Number.NaN, high: Number.NaN, p: Number.NaN };
  }
  const half = se === 0 ? 0 : studentTQuantile((1 + confidence) / 2, df) * se;
  const p = se === 0 ? (value === 0 ? 1 : 0) : 2 * studentTUpperTail(Math.abs(value) / se, df);
  return { value, se, df, low: value - half, high: value + half, p };
}

/** A variance and the degrees of freedom it was estimated with. */
export interface VarianceEstimate {
  readonly variance: number;
  readonly df: number;
}

/**
 * The sum of independent variances, with the freedom of Satterthwaite (1946) and Welch (1947): (Σ V)²/Σ (V²/df). Zero
 * variances count for nothing.
 *
 * @returns df is Infinity where all variances are 0.
 */
export function sumOfVariances(parts: readonly VarianceEstimate[]): VarianceEstimate {
  let variance = 0;
  let squares = 0;
  for (const part of parts) {
    variance += part.variance;
    if (part.variance !== 0) squares += part.variance ** 2 / part.df;
  }
  return {
    variance,
    df: variance ** 2 / squares || (Number.isNaN(variance) ? Number.NaN : Number.POSITIVE_INFINITY),
  };
}

/** Mean with its variance s²/n; NaN with fewer than two values. A number stands for itself and has no error. */
function meanOf(values: ArrayLike<number> | number): VarianceEstimate & { readonly mean: number } {
  if (typeof values === 'number') return { mean: values, variance: 0, df: Number.POSITIVE_INFINITY };
  const n = values.length;
  let mean = 0;
  for (let i = 0; i < n; i++) mean += values[i]! / n;
  let squares = 0;
  for (let i = 0; i < n; i++) squares += (values[i]! - mean) ** 2;
  return { mean, variance: n < 2 ? Number.NaN : squares / (n - 1) / n, df: n - 1 };
}

/**
 * Welch's t test (1947) of the difference of two means, second − first, with its interval: of values of independent training
 * seeds. A side that is a number is known without error: a checkpoint that all the others were trained from.
 *
 * @param more The variance that the difference has besides, from other items say; see `sumOfVariances`. The interval is then
 *   for another training and other items.
 * @returns NaN but for `value` where a side has one value only, or neither has any spread to judge by.
 */
export function welchTest(
  first: ArrayLike<number> | number,
  second: ArrayLike<number> | number,
  { confidence = 0.95, more = [] }: { confidence?: number; more?: readonly VarianceEstimate[] } = {},
): Tested {
  const [a, b] = [meanOf(first), meanOf(second)];
  const { variance, df } = sumOfVariances([a, b, ...more]);
  const value = b.mean - a.mean;
  return studentTest(value, variance === 0 ? Number.NaN : Math.sqrt(variance), df, confidence);
}
