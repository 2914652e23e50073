import { leavingEachOut } from '../../scores/index.js';
import { randomHalves } from '../../stats/index.js';

/** Every set of folds a comparison computes its scores on, as one list. */
export interface FoldSubsets {
  /** [subset]: folds, ascending. */
  readonly folds: readonly (readonly number[])[];
  /** Index of the subset that holds all folds. */
  readonly full: 0;
  /** Indices of the subsets that lack one fold, for the jackknife. */
  readonly leaveOneOut: readonly number[];
  /** Indices of the two random halves of each split, for the noise floor. */
  readonly halves: readonly { readonly first: number; readonly second: number }[];
}

/** `live`: the folds in which something was counted. Without splits, or with one fold, there are no halves, and no jackknife. */
export function foldSubsets(live: readonly number[], splits: number, seed: number): FoldSubsets {
  const folds: (readonly number[])[] = [live];
  if (splits === 0 || live.length < 2) return { folds, full: 0, leaveOneOut: [], halves: [] };
  const add = (subset: readonly number[]) => folds.push(subset) - 1;
  const leaveOneOut = leavingEachOut(live).map(add);
  const halves = randomHalves(live, splits, seed).map(({ first, second }) => ({
    first: add(first),
    second: add(second),
  }));
  return { folds, full: 0, leaveOneOut, halves };
}
