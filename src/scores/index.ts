export { type Alignment, alignment, alignmentOver } from './alignment.js';
export { ALIGNMENT_COLUMNS } from './alignment-columns.js';
export { scoreNames } from './available.js';
export { deadUnits } from './dead-units.js';
export {
  type FoldScore,
  type PairScore,
  type PromptScore,
  RELIABILITY_UNITS,
  RELIABILITY_UNITS_ITEMS,
  type ScoreDefinition,
  type VarianceScore,
} from './definition.js';
export { auroc } from './definitions/auroc.js';
export { averagePrecision } from './definitions/average-precision.js';
export { contrast } from './definitions/contrast.js';
export { DistributionOverlap, distributionOverlap } from './definitions/distribution-overlap.js';
export { exclusivity } from './definitions/exclusivity.js';
export { gini } from './definitions/gini.js';
export { loadDefinitions, SCORE_DEFINITIONS } from './definitions/index.js';
export { lape, lapeInterval } from './definitions/lape.js';
export { languageEntropy, mutualInformation } from './definitions/mutual-information.js';
export { selectivity } from './definitions/selectivity.js';
export { effectSizes, type TwoWay, twoWay } from './definitions/two-way.js';
export { type VectorShare, vectorShare } from './definitions/vector-share.js';
export { ItemEvaluator } from './item-evaluator.js';
export { type ItemSamples, itemSamples } from './item-samples.js';
export { informationInterval, momentsOf } from './item-uncertainty.js';
export { type ItemParts, type ItemValues, newItemValues } from './item-values.js';
export { languagePairs, layerAlignment, type PairAlignment } from './layer-alignment.js';
export type { PromptSample } from './rank-walk.js';
export { RateSummary } from './rate-summary.js';
export { readScores } from './read-scores.js';
export { HalfScores } from './reliability.js';
export { unitValues } from './score-items.js';
export { RELIABILITY_SPLITS, type ScoreProgress, type ScoreRunOptions, scoreRun } from './score-run.js';
export { blockSums } from './score-variance.js';
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
export { type SumsOfSquares, sumsOfSquares, type TwoWaySums, twoWaySums } from './sums-of-squares.js';
export { UNIT_COLUMNS, UNIT_LANGUAGE_COLUMNS } from './table-columns.js';
export { topLanguage } from './top-language.js';
export * from './types.js';
export { type UnitRow, unitRows } from './unit-rows.js';
