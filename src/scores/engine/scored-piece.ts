import { Random, type UnitIntervals } from '../../stats/index.js';
import type { ItemsName, ScoredType } from '../../store/index.js';
import type { ScoreDefinition } from '../definition.js';
import type { HalfScores } from '../samples/half-scores.js';
import type { Resampling } from '../samples/item-samples.js';
import type { ScoreName } from '../tables/summary.js';

/** A thread that scores is told this when it starts. */
export interface ScoreSettings {
  readonly folder: string;
  /** Scores to compute, by type of unit. */
  readonly scores: Partial<Record<ScoredType, readonly ScoreName[]>>;
  readonly seed: number;
  /** Random halves for the reliability. */
  readonly splits: number;
  /** null: no bootstrap, no permutations. */
  readonly resampling: Resampling | null;
  /** URL of a module with another list of scores. */
  readonly definitions?: string | undefined;
}

/** A piece of work: fold sums, or pooled values, of a block of a layer's units. */
export type ScoreTask = {
  readonly layer: number;
  readonly type: ScoredType;
  readonly unitStart: number;
  readonly unitEnd: number;
} & ({ readonly kind: 'folds' } | { readonly kind: 'items'; readonly array: ItemsName });

/** Arrays by the name of their column. */
export type Columns = Readonly<Record<string, Float64Array | undefined>>;

/** The scores of some adjacent units of a layer. */
export interface ScoredPiece {
  readonly type: ScoredType;
  readonly layer: number;
  /** Within the layer. */
  readonly unitStart: number;
  /** Arrays [unit − unitStart]. */
  readonly ofUnits: Columns;
  /** Arrays [language, unit − unitStart]. */
  readonly ofLanguages: Columns;
}

/** A piece with the half scores of its sampled units: position of the first in the sample, and `HalfScores.values`. */
export interface ScoreResult extends ScoredPiece {
  readonly halves: readonly (readonly [name: string, first: number, values: Float64Array])[];
}

/** Half scores of the sampled units among those of a piece, by name. */
export type PieceHalves = ReadonlyMap<string, HalfScores>;

/** Sets a score and its interval. */
export function setInterval(
  columns: Record<string, Float64Array | undefined>,
  name: string,
  { value, se, low, high }: UnitIntervals,
): void {
  columns[name] = value;
  columns[`${name}_se`] = se;
  columns[`${name}_low`] = low;
  columns[`${name}_high`] = high;
}

/** A score whose reliability is estimated. */
export interface HalfScore {
  readonly name: string;
  readonly definition: ScoreDefinition;
  /** Whether every language has one. */
  readonly byLanguage: boolean;
  /** Units it is estimated on, at most. */
  readonly units: number;
}

/** Scores whose reliability is estimated: those of the list, and the highest over languages of some. */
export function halfScoresOf(definitions: readonly ScoreDefinition[]): HalfScore[] {
  return definitions.flatMap((definition) => {
    const { name, per, reliability: units, best } = definition;
    if (units === null) return [];
    const own: HalfScore = { name, definition, byLanguage: per === 'language', units };
    return best?.halves ? [own, { ...own, name: `${name}_best`, byLanguage: false }] : [own];
  });
}

/** Ascending indices, among all units of a type, of those on which a score's reliability is estimated. */
export function reliabilitySample({ units: most }: HalfScore, units: number, seed: number): Uint32Array {
  return new Random(seed).sample(units, most);
}
