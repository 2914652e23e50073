export { type Alignment, alignment, alignmentOver } from './alignment.js';
export { ALIGNMENT_COLUMNS } from './alignment-columns.js';
export { auroc } from './auroc.js';
export { averagePrecision } from './average-precision.js';
export { contrast } from './contrast.js';
export { deadUnits } from './dead-units.js';
export { DistributionOverlap, distributionOverlap } from './distribution-overlap.js';
export { exclusivity } from './exclusivity.js';
export { firingRate } from './firing-rate.js';
export { ItemEvaluator, type ItemParts, newItemValues } from './item-evaluator.js';
export { type ItemSamples, itemSamples } from './item-samples.js';
export { informationInterval, momentsOf } from './item-uncertainty.js';
export { lape, lapeInterval } from './lape.js';
export { languagePairs, layerAlignment, type PairAlignment } from './layer-alignment.js';
export { languageEntropy, mutualInformation } from './mutual-information.js';
export type { PromptSample } from './rank-walk.js';
export { RateSummary } from './rate-summary.js';
export { readScores } from './read-scores.js';
export { HalfScores } from './reliability.js';
export { RELIABILITY_UNITS, RELIABILITY_UNITS_ITEMS } from './reliability-sample.js';
export { routerMass } from './router-mass.js';
export { LANGUAGE_ARRAYS, type LanguageArray, UNIT_ARRAYS, type UnitArray } from './score-arrays.js';
export { PATTERNS, statisticsOf } from './score-folds.js';
export { unitValues } from './score-items.js';
export { RELIABILITY_SPLITS, type ScoreProgress, type ScoreRunOptions, scoreRun } from './score-run.js';
export { blockSums } from './score-two-way.js';
export { selectPolyfact2026 } from './select-polyfact2026.js';
export { selectReference } from './select-reference.js';
export { referenceCut, selectTang2024, type Tang2024Options, tang2024Units } from './select-tang2024.js';
export {
  BAR_PERCENTILE,
  countSelected,
  languagesOf,
  type ReferenceCut,
  SELECTED_FRACTION,
  type Selection,
} from './selection.js';
export { selectionFrequency } from './selection-frequency.js';
export { selectivity } from './selectivity.js';
export { UNIT_COLUMNS, UNIT_LANGUAGE_COLUMNS } from './table-columns.js';
export { topLanguage } from './top-language.js';
export {
  effectSizes,
  type SumsOfSquares,
  sumsOfSquares,
  type TwoWay,
  type TwoWaySums,
  twoWay,
  twoWaySums,
} from './two-way.js';
export * from './types.js';
export { type UnitRow, unitRows } from './unit-rows.js';
export { type VectorShare, vectorShare } from './vector-share.js';
