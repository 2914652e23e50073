import type { DifferenceInDifferences, Estimate, SamplingFloor, SeedFloor, TrendTest } from './types.js';

/** As in `alignment` of scores/: cosine margin, and MEXA retrieval. */
export const ALIGNMENT_MEASURES = ['margin', 'mexa'] as const;
export type AlignmentMeasure = (typeof ALIGNMENT_MEASURES)[number];

/** Where a number of the alignment is of: means over pairs of languages. */
export interface AlignmentPlace {
  readonly measure: AlignmentMeasure;
  /** Name of the group whose languages are paired; null: all of them. */
  readonly group: string | null;
  /** null: mean over layers. */
  readonly layer: number | null;
}

export interface AlignmentLevel extends AlignmentPlace {
  readonly label: string;
  readonly value: Estimate;
}

/** Between two runs, beside what sampling, and another training seed, does to it; of every pair of runs. */
export interface AlignmentChange extends AlignmentPlace, SamplingFloor {
  readonly from: string;
  readonly to: string;
  /** to − from; paired jackknife over folds. */
  readonly change: Estimate;
  readonly seeds: SeedFloor;
}

/** How much further one run is from the reference than another. */
export interface AlignmentContrast extends AlignmentPlace, DifferenceInDifferences {}

/** Over the steps of a trajectory. */
export interface AlignmentTrend extends AlignmentPlace, TrendTest {}

/** How well languages are aligned on the residual stream after each layer. */
export interface AlignmentComparison {
  /** How the tokens of a prompt became one vector. */
  readonly pooling: string;
  /** Pairs of languages that share two items or more, of all there are. */
  readonly pairs: { readonly measured: number; readonly all: number };
  /** Items of a pair: fewest and most. What MEXA is by chance, and by skill, depends on them. */
  readonly items: readonly [number, number];
  readonly levels: readonly AlignmentLevel[];
  readonly changes: readonly AlignmentChange[];
  readonly contrasts: readonly AlignmentContrast[];
  /** Empty without a trajectory. */
  readonly trends: readonly AlignmentTrend[];
}
