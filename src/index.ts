export {
  type CaptureEstimate,
  type CaptureOptions,
  type CaptureProgress,
  type CaptureResult,
  capture,
  estimateCapture,
  mergeRun,
} from './capture/index.js';
export type {
  Checkpoint,
  DownloadOptions,
  DownloadProgress,
  ModelIdentity,
  WeightTensor,
} from './checkpoint/index.js';
export { identifyCheckpoint, openCheckpoint } from './checkpoint/index.js';
export type * from './compare/index.js';
export {
  againstReference,
  compareRuns as compare,
  headlineChanges,
  languageGroups,
  readComparison,
  rowsOf,
  writeComparison,
} from './compare/index.js';
export * from './errors.js';
export type { BlockHook, Edit, HookPoint, Statistic, Tap } from './hooks/index.js';
export { EDITS, tapOutput } from './hooks/index.js';
export {
  compareSelections,
  exportCsv,
  exportLapeMask,
  exportTransformerLens,
  importLahis,
  importLapeCounts,
  importLapeJson,
  importLapeMask,
  importSelfcond,
  type PickleValue,
  readPytorch,
  type SelectionComparison,
  TorchTensor,
} from './interchange/index.js';
export type { Model, ModelDescription, ModelGraph, ModelShape } from './models/index.js';
export { type Inspection, inspectCheckpoint as inspect, openModel } from './models/index.js';
export { addWeightNoise, falseChanges, nullComparison, plantUnits, recoverPlanted } from './planted/index.js';
export type * from './probes/index.js';
export { checkProbes, listBuiltinProbes, listProbeFormats, loadProbes } from './probes/index.js';
export type { AbsentFigure, Figure, FigureName, ReportFormat, WriteReportOptions } from './report/index.js';
export {
  buildFigures,
  changeSentence,
  drawFigure,
  figure,
  isPresent,
  writeReport as report,
} from './report/index.js';
export type * from './runtime/index.js';
export { loadModel, ModelRunner, RunnerError } from './runtime/index.js';
export type * from './scores/index.js';
export {
  type Alignment,
  alignment,
  auroc,
  averagePrecision,
  distributionOverlap,
  languageEntropy,
  lape,
  mutualInformation,
  readScores,
  referenceCut,
  type ScoreRunOptions,
  scoreRun as score,
  selectivity,
  selectPolyfact2026,
  selectReference,
  selectTang2024,
  twoWay,
  unitRows,
  vectorShare,
} from './scores/index.js';
export {
  openRun,
  RUN_ARRAYS,
  type Run,
  type RunLayer,
  type RunManifest,
  type RunPlan,
} from './store/index.js';
export { VERSION } from './version.js';
