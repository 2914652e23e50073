export { FINDINGS, type Finding } from '../stats/index.js';
export { type CompareOptions, type CompareProgress, compareRuns } from './compare-runs.js';
export type {
  Change,
  ChangeTest,
  ComparedRun,
  Comparison,
  Contrast,
  Estimate,
  ExpertMap,
  HeadMap,
  HeadOverlap,
  LanguageGroup,
  Level,
  Measure,
  QuantityKey,
  Reallocation,
  RunProfile,
  SamplingFloor,
  SeedFloor,
  SeedTest,
  Spread,
  Trend,
  UnitDescription,
  Verdict,
} from './comparison.js';
export {
  COMPARISON_SCHEMA_VERSION,
  comparisonSchema,
  MEASURES,
} from './comparison.js';
export {
  CHANGES_FILE,
  COMPARISON_FILE,
  readComparison,
  writeComparison,
} from './files.js';
export { findingDetail, findingInWords, perCentOfLevel, pInWords } from './finding-words.js';
export { languageGroups } from './inputs/language-groups.js';
export type { RunToCompare } from './inputs/regimes.js';
export { type ItemPlan, type PlannedMeasure, type PlanOptions, planItems } from './plan.js';
export { differingFindings } from './populations.js';
export { againstReference, headlineChanges, mainUnits, type RowFilter, rowsOf } from './select.js';
export type { ChangeSet } from './units/change-task.js';
export { CHANGE_COLUMNS, type ChangesOptions, writeChanges } from './units/changes.js';
