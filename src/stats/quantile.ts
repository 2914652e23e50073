import { quantileSorted } from 'simple-statistics';

/**
 * The p-quantile by linear interpolation between order statistics (type 7 of Hyndman & Fan, 1996: the default of
 * numpy and R). NaN values are left out; NaN if none remains.
 */
export function quantile(values: ArrayLike<number>, p: number): number {
  const sorted = Float64Array.from(values).sort();
  // Typed arrays sort NaN last.
  let count = sorted.length;
  while (count > 0 && Number.isNaN(sorted[count - 1]!)) count--;
  if (count === 0) return Number.NaN;
  return quantileSorted(sorted.subarray(0, count) as unknown as number[], p);
}
