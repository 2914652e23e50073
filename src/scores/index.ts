export {
  type FoldScore,
  type PairScore,
  type PromptScore,
  RELIABILITY_UNITS,
  RELIABILITY_UNITS_ITEMS,
  type ScoreDefinition,
  type VarianceScore,
} from './definition.js';
export { type Alignment, alignment, alignmentOver } from './definitions/alignment.js';
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
export { scoreNames } from './engine/available.js';
export { unitValues } from './engine/score-items.js';
export {
  RELIABILITY_SPLITS,
  type ScoreProgress,
  type ScoreRunOptions,
  scoreRun,
} from './engine/score-run.js';
export { blockSums } from './engine/score-variance.js';
export { HalfScores, leavingEachOut } from './samples/half-scores.js';
export { ItemEvaluator } from './samples/item-evaluator.js';
export { type ItemSamples, itemSamples } from './samples/item-samples.js';
export { informationInterval, momentsOf } from './samples/item-uncertainty.js';
export { type ItemParts, type ItemValues, newItemValues } from './samples/item-values.js';
export { languagePairs, layerAlignment, type PairAlignment } from './samples/layer-alignment.js';
export type { PromptSample } from './samples/rank-walk.js';
export { type SumsOfSquares, sumsOfSquares, type TwoWaySums, twoWaySums } from './samples/sums-of-squares.js';
export { deadUnits, topLanguage } from './selection/of-rates.js';
export {
  referenceCut,
  selectPolyfact2026,
  selectTang2024,
  type Tang2024Options,
  tang2024Units,
} from './selection/policies.js';
export { RateSummary } from './selection/rate-summary.js';
export {
  BAR_PERCENTILE,
  countSelected,
  languagesOf,
  type ReferenceCut,
  SELECTED_FRACTION,
  type Selection,
  selectReference,
} from './selection/selection.js';
export { ALIGNMENT_COLUMNS } from './tables/alignment-columns.js';
export { checkScoreTable, readScores, readSummary } from './tables/read-scores.js';
export * from './tables/summary.js';
export { UNIT_COLUMNS, UNIT_LANGUAGE_COLUMNS } from './tables/table-columns.js';
export { type UnitRow, unitRows } from './tables/unit-rows.js';
