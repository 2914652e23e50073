export { type CompareOptions, type CompareProgress, compareRuns, type RunToCompare } from './compare-runs.js';
export {
  CHANGES_FILE,
  COMPARISON_FILE,
  readComparison,
  SCORE_CHANGES_FILE,
  writeComparison,
} from './files.js';
export { languageGroups } from './language-groups.js';
export { SCORE_CHANGE_COLUMNS, type ScoreChangesOptions, writeScoreChanges } from './score-changes.js';
export * from './types.js';
export {
  type ComparisonWithChanges,
  type ScoreChange,
  UNIT_CHANGE_SCORES,
  type UnitChangeScore,
  type UnitChanges,
  unitChanges,
} from './unit-changes.js';
