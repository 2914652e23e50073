import type { UnitType } from '../../store/index.js';
import type { LayerUnits } from '../inputs/run-source.js';

/** Which scores' changes are computed: `basic` of a definition, or all. */
export type ChangeSet = 'basic' | 'full';

/** The folder of the run that others are compared with, and the folds that the jackknife leaves out. */
export interface ChangeSettings {
  readonly reference: string;
  readonly folds: readonly number[];
  /** The seed of random halves and permutations. */
  readonly seed: number;
  readonly changes: ChangeSet;
  /** The cut of the `reference` policy, by type of unit; null: it selects none. */
  readonly cuts: Partial<
    Record<UnitType, { readonly entropyCut: number | null; readonly bar: number | null }>
  >;
  /** URL of a module with another list of scores. */
  readonly definitions?: string | undefined;
}

/** Fold sums, or pooled values, of a block of a layer's units. */
export interface ChangeTask extends LayerUnits {
  /** Folder of the run that is compared with the reference, and matches it. */
  readonly other: string;
  readonly kind: 'folds' | 'items';
  readonly type: UnitType;
}

/** A score of a unit, in a language (by index) if it has one there. */
export interface ChangedScore {
  readonly score: string;
  readonly language: number | null;
}

/** Scores of some adjacent units in both runs, [score, unit], and the standard error of other − reference. */
export interface ChangeResult {
  readonly scores: readonly ChangedScore[];
  readonly reference: Float64Array;
  readonly other: Float64Array;
  readonly se: Float64Array;
  /** [unit]: what is taken off the change of mutual information to centre its interval; empty where it is not computed. */
  readonly miShift: Float64Array;
  /** [run][unit]: top language of a unit that is selected there, else `NOT_SELECTED`; empty of pooled values. */
  readonly selected: readonly Int16Array[];
}
