import { quantileSorted } from 'simple-statistics';

export interface BootstrapInterval {
  /** Standard deviation of the draws. */
  readonly se: number;
  readonly low: number;
  readonly high: number;
}

export interface BootstrapOptions {
  /** The score's range; interval ends are clipped to it. Default: unbounded. */
  readonly min?: number;
  readonly max?: number;
  /** Two-sided coverage. Default 0.95. */
  readonly confidence?: number;
}

/**
 * Percentile interval (Efron, 1981) of an estimate from its bootstrap draws, which are sorted in place; quantiles by linear
 * interpolation (type 7). Draws that are NaN (a language that was not drawn) are left out; all ends are NaN if more than
 * one in twenty is, or if the estimate itself is.
 */
export function bootstrapInterval(
  value: number,
  draws: Float64Array,
  { min = -Infinity, max = Infinity, confidence = 0.95 }: BootstrapOptions = {},
): BootstrapInterval {
  draws.sort();
  // Typed arrays sort NaN last.
  let count = draws.length;
  while (count > 0 && Number.isNaN(draws[count - 1]!)) count--;
  if (Number.isNaN(value) || count < 2 || draws.length - count > draws.length * MAX_ABSENT) {
    return { se: Number.NaN, low: Number.NaN, high: Number.NaN };
  }
  const present = draws.subarray(0, count);
  let mean = 0;
  for (let b = 0; b < count; b++) mean += present[b]!;
  mean /= count;
  let squares = 0;
  for (let b = 0; b < count; b++) squares += (present[b]! - mean) ** 2;
  const tail = (1 - confidence) / 2;
  const low = quantileSorted(present as unknown as number[], tail);
  const high = quantileSorted(present as unknown as number[], 1 - tail);
  const clip = (end: number) => Math.min(max, Math.max(min, end));
  const se = Math.sqrt(squares / (count - 1));
  return { se, low: clip(low), high: clip(high) };
}

/** Share of draws that may be absent before an interval says more about who was drawn than about the score. */
const MAX_ABSENT = 0.05;

/** Quantile of a standard normal, two-sided 95 %. */
const Z = 1.959963984540054;

/** 95 % interval of a proportion (Wilson, 1927); [0, 1] of nothing. */
export function wilsonInterval(successes: number, trials: number): readonly [number, number] {
  if (trials === 0) return [0, 1];
  const p = successes / trials;
  const centre = p + (Z * Z) / (2 * trials);
  const half = Z * Math.sqrt((p * (1 - p)) / trials + (Z * Z) / (4 * trials * trials));
  const scale = 1 + (Z * Z) / trials;
  return [
    successes === 0 ? 0 : Math.max(0, (centre - half) / scale),
    successes === trials ? 1 : Math.min(1, (centre + half) / scale),
  ];
}
