import type { ScoredType } from '../store/index.js';
import type { HalfScores } from './reliability.js';
import type { LanguageArray, UnitArray } from './score-arrays.js';
import type { ScoreName } from './types.js';

/** Scores whose reliability is estimated, with what `--scores` calls them; null: given wherever the sums are. */
export const HALF_SCORES = {
  rate: null,
  mean: null,
  contrast: null,
  lape: 'lape',
  exclusivity: 'exclusivity',
  eta2Language: 'twoWay',
  eta2Item: 'twoWay',
  omega2Language: 'twoWay',
  omega2Item: 'twoWay',
  ap: 'ap',
  apBest: 'ap',
  auroc: 'auroc',
  selectivity: 'selectivity',
  mi: 'mi',
  overlap: 'overlap',
  vectorShareLanguage: 'vectorShare',
  vectorShareItem: 'vectorShare',
  patternEntropy: 'pattern',
  patternFirst: 'pattern',
  patternPrevious: 'pattern',
} as const satisfies Record<string, ScoreName | null>;
export type HalfScoreName = keyof typeof HALF_SCORES;

/** Of them, those that every language has one of. */
export const HALF_SCORES_OF_LANGUAGES: ReadonlySet<HalfScoreName> = new Set([
  'rate',
  'mean',
  'contrast',
  'ap',
  'auroc',
  'selectivity',
  'patternEntropy',
  'patternFirst',
  'patternPrevious',
]);

/** Of them, those that are made of fold sums. */
export const HALF_SCORES_OF_FOLDS: ReadonlySet<HalfScoreName> = new Set([
  'rate',
  'mean',
  'contrast',
  'lape',
  'exclusivity',
  'patternEntropy',
  'patternFirst',
  'patternPrevious',
]);

/** Scores whose reliability is estimated, given what is computed. */
export function halfScoresOf(computed: ReadonlySet<ScoreName>): HalfScoreName[] {
  return (Object.keys(HALF_SCORES) as HalfScoreName[]).filter((name) => {
    const score = HALF_SCORES[name];
    return score === null || computed.has(score);
  });
}

/** Half scores of the sampled units among those of a piece. */
export type PieceHalves = ReadonlyMap<HalfScoreName, HalfScores>;

/** What was computed of some adjacent units of a layer. */
export interface ScoredPiece {
  readonly type: ScoredType;
  readonly layer: number;
  /** Within the layer. */
  readonly unitStart: number;
  /** Arrays [unit − unitStart]. */
  readonly ofUnits: Partial<Record<UnitArray, Float64Array>>;
  /** Arrays [language, unit − unitStart]. */
  readonly ofLanguages: Partial<Record<LanguageArray, Float64Array>>;
}
