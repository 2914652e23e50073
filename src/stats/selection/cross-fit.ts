import type { FoldHalves } from '../sampling/resampling.js';

/**
 * A number about a selection, free of the selection's luck: what is selected on one half of the folds is measured on the
 * other, both ways, and averaged over the halvings (sample splitting: Cox, 1975; cross-fitting: Chernozhukov et al., 2018).
 * Units that pass a cut by chance do so on the half that chose them, and not on the other.
 *
 * @param select Chooses on some folds: a cut, a set of units.
 * @param measure The number, on other folds.
 * @returns the mean over halvings and directions that have a value; NaN if none has.
 */
export function crossFitted<T>(
  halves: readonly FoldHalves[],
  select: (folds: readonly number[]) => T,
  measure: (folds: readonly number[], selected: T) => number,
): number {
  let sum = 0;
  let count = 0;
  for (const { first, second } of halves) {
    for (const value of [measure(second, select(first)), measure(first, select(second))]) {
      if (Number.isNaN(value)) continue;
      sum += value;
      count++;
    }
  }
  return count === 0 ? Number.NaN : sum / count;
}
