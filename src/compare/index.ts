export { type CompareOptions, type CompareProgress, compareRuns } from './compare-runs.js';
export type {
  Change,
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
  SeedVerdict,
  Spread,
  Trend,
  UnitDescription,
  Verdict,
} from './comparison.js';
export {
  COMPARISON_SCHEMA_VERSION,
  comparisonSchema,
  MEASURES,
  SEED_VERDICTS,
  VERDICTS,
} from './comparison.js';
export {
  CHANGES_FILE,
  COMPARISON_FILE,
  readComparison,
  writeComparison,
} from './files.js';
export { languageGroups } from './inputs/language-groups.js';
export type { RunToCompare } from './inputs/regimes.js';
export { type ItemPlan, type PlannedMeasure, type PlanOptions, planItems } from './plan.js';
export { differingFindings } from './populations.js';
export { againstReference, headlineChanges, mainUnits, type RowFilter, rowsOf } from './select.js';
export type { ChangeSet } from './units/change-task.js';
export { CHANGE_COLUMNS, type ChangesOptions, writeChanges } from './units/changes.js';
export { findingInWords } from './verdict.js';
