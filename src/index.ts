export { type CaptureEstimate, estimateCapture } from './capture/estimate-capture.js';
export {
  type CaptureOptions,
  type CaptureProgress,
  type CaptureResult,
  capture,
  mergeRun,
} from './capture/index.js';
export type { DownloadOptions, DownloadProgress } from './checkpoint/hub/download-snapshot.js';
export { identifyCheckpoint } from './checkpoint/identify-checkpoint.js';
export { openCheckpoint } from './checkpoint/open-checkpoint.js';
export type { Checkpoint, ModelIdentity, WeightTensor } from './checkpoint/types.js';
export { compareRuns as compare, languageGroups, readComparison, writeComparison } from './compare/index.js';
export type * from './compare/types.js';
export * from './errors.js';
export type { HookPoint } from './hooks/points.js';
export { type BlockHook, type Statistic, type Tap, tapOutput } from './hooks/taps.js';
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
export { type Inspection, inspectCheckpoint as inspect } from './models/inspect-checkpoint.js';
export { openModel } from './models/open-model.js';
export type { Model, ModelDescription, ModelGraph, ModelShape } from './models/types.js';
export { checkProbes, listBuiltinProbes, listProbeFormats, loadProbes } from './probes/index.js';
export type * from './probes/types.js';
export { type ReportFormat, type WriteReportOptions, writeReport as report } from './report/index.js';
export { ModelRunner, RunnerError } from './runtime/index.js';
export type * from './runtime/types.js';
export {
  type Alignment,
  alignment,
  auroc,
  averagePrecision,
  distributionOverlap,
  firingRate,
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
  vectorShare,
} from './scores/index.js';
export type * from './scores/types.js';
export { LAYER_ARRAYS, type RunManifest, type RunPlan } from './store/manifest.js';
export { openRun, type Run, type RunLayer } from './store/open-run.js';
export {
  addWeightNoise,
  falseChanges,
  nullComparison,
  plantUnits,
  recoverPlanted,
} from './validation/index.js';
export { VERSION } from './version.js';
