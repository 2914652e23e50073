import type { ItemsName, ScoredType } from '../store/index.js';
import type { Resampling } from './item-samples.js';
import type { HalfScoreName, ScoredPiece } from './scored-piece.js';
import type { ScoreName } from './types.js';

/** What a thread of `runTasks` is told when it starts. */
export interface ScoreSettings {
  readonly folder: string;
  /** Scores to compute, by type of unit. */
  readonly scores: Partial<Record<ScoredType, readonly ScoreName[]>>;
  readonly seed: number;
  /** Random halves for the reliability. */
  readonly splits: number;
  /** null: no bootstrap, no permutations. */
  readonly resampling: Resampling | null;
}

/** A piece of work: fold sums, or pooled values, of a block of a layer's units. */
export type ScoreTask = {
  readonly layer: number;
  readonly type: ScoredType;
  readonly unitStart: number;
  readonly unitEnd: number;
} & ({ readonly kind: 'folds' } | { readonly kind: 'items'; readonly array: ItemsName });

/** A piece with the half scores of its sampled units: position of the first in the sample, and `HalfScores.values`. */
export interface ScoreResult extends ScoredPiece {
  readonly halves: readonly (readonly [name: HalfScoreName, first: number, values: Float64Array])[];
}
