import type { LanguageArray } from '../scores/score-arrays.js';
import type { UnitType } from '../scores/types.js';

/** Folders of two runs that match, and the folds that their jackknife leaves out. */
export interface ChangeSettings {
  readonly reference: string;
  readonly other: string;
  readonly folds: readonly number[];
  /** Of random halves and permutations. */
  readonly seed: number;
}

/** A layer's fold sums, or the pooled values of a block of its units. */
export type ChangeTask = { readonly layer: number; readonly type: UnitType } & (
  | { readonly kind: 'folds' }
  | { readonly kind: 'items'; readonly unitStart: number; readonly unitEnd: number }
);

/** A score of a unit, in a language (by index) if it has one there. */
export interface ChangedScore {
  readonly score: LanguageArray | 'mi' | 'exclusivity';
  readonly language: number | null;
}

/** Scores of some adjacent units in both runs, [score, unit], and the standard error of other − reference. */
export interface ChangeResult {
  readonly scores: readonly ChangedScore[];
  readonly reference: Float64Array;
  readonly other: Float64Array;
  readonly se: Float64Array;
  /** [unit]: what is taken off the change of mutual information to centre its interval; empty of fold sums. */
  readonly miShift: Float64Array;
}
