export { AveragePrecision, averagePrecision, type RankedPrompts } from './average-precision.js';
export { contrast } from './contrast.js';
export { deadUnits } from './dead-units.js';
export { firingRate } from './firing-rate.js';
export { type FoldShape, liveFolds, meanOverTokens, type Numbers, tokensOf } from './fold-sums.js';
export { lape, lapeInterval } from './lape.js';
export {
  RELIABILITY_SPLITS,
  RELIABILITY_UNITS,
  RELIABILITY_UNITS_AP,
  type ScoreProgress,
  type ScoreRunOptions,
  scoreRun,
} from './score-run.js';
export { selectPolyfact2026 } from './select-polyfact2026.js';
export { selectReference } from './select-reference.js';
export { referenceCut, selectTang2024, type Tang2024Options } from './select-tang2024.js';
export {
  BAR_PERCENTILE,
  countSelected,
  languagesOf,
  type ReferenceCut,
  SELECTED_FRACTION,
  type Selection,
} from './selection.js';
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
export { type VectorShare, vectorShare } from './vector-share.js';
