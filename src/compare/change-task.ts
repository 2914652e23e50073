import type { LanguageArray } from '../scores/index.js';
import type { UnitType } from '../store/index.js';
import type { LayerUnits } from './inputs/run-source.js';

/** Folders of two runs that match, and the folds that their jackknife leaves out. */
export interface ChangeSettings {
  readonly reference: string;
  readonly other: string;
  readonly folds: readonly number[];
  /** Of random halves and permutations. */
  readonly seed: number;
}

/** Fold sums, or pooled values, of a block of a layer's units. */
export interface ChangeTask extends LayerUnits {
  readonly kind: 'folds' | 'items';
  readonly type: UnitType;
}

/** Shares of variance that `changes.parquet` has not. */
export type ChangedShare = 'eta2_language' | 'omega2_item' | 'vector_share_item';

/** A score of a unit, in a language (by index) if it has one there. */
export interface ChangedScore {
  readonly score: LanguageArray | 'mi' | 'exclusivity' | ChangedShare;
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
