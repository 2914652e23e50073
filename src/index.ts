// The public face: what a program that imports babelscope may use. Rooms have more to offer each other than is here.

// The commands as functions, in the order of the main job.

export {
  type CaptureEstimate,
  type CaptureOptions,
  type CaptureProgress,
  type CaptureResult,
  capture,
  estimateCapture,
  type MergeOptions,
  mergeRun,
} from './capture/index.js';
export {
  type ChangeSet,
  type ChangesOptions,
  type CompareOptions,
  type CompareProgress,
  compareRuns as compare,
  type ItemPlan,
  type PlannedMeasure,
  type PlanOptions,
  planItems as plan,
  type RunToCompare,
  writeChanges,
} from './compare/index.js';
export { type Inspection, inspectCheckpoint as inspect } from './models/index.js';
export { type ReportFormat, type WriteReportOptions, writeReport as report } from './report/index.js';
export { type ScoreProgress, type ScoreRunOptions, scoreRun as score } from './scores/index.js';

// A model that runs text.

export {
  type BlockHook,
  EDITS,
  type Edit,
  type HookPoint,
  type Statistic,
  type Tap,
  tapOutput,
} from './hooks/index.js';

export {
  type Model,
  type ModelDescription,
  type ModelGraph,
  type ModelShape,
  openModel,
} from './models/index.js';
export {
  type Activation,
  type ActivationOptions,
  type Device,
  type GradientOptions,
  type LoadedModel,
  type LoadModelOptions,
  loadModel,
  ModelRunner,
  type PromptActivations,
  type PromptGradients,
  RunnerError,
  type RunnerOptions,
  type RunTextOptions,
  type TextGradients,
  type TextRun,
  type TokenizedPrompt,
} from './runtime/index.js';

// Checkpoints on disk and on the hub.

export {
  type Adapter,
  type Checkpoint,
  type DownloadOptions,
  type DownloadProgress,
  identifyCheckpoint,
  type ModelIdentity,
  type OpenCheckpointOptions,
  openCheckpoint,
  type WeightTensor,
} from './checkpoint/index.js';

// Probe sets: the prompts.

export {
  type BuiltinProbes,
  checkProbes,
  type LanguageTag,
  type LoadProbesOptions,
  listBuiltinProbes,
  listProbeFormats,
  loadProbes,
  type ProbeFormat,
  type ProbeIdentity,
  type ProbeItem,
  type ProbeLanguage,
  type ProbeReport,
  type ProbeSet,
  type ProbeWarning,
  type Prompt,
} from './probes/index.js';

// Runs: what a capture recorded, and whether it is still that.

export {
  type DamagedFile,
  openRun,
  RUN_ARRAYS,
  type Run,
  type RunLayer,
  type RunManifest,
  type RunPlan,
  type UnitType,
  type Verification,
  verify,
} from './store/index.js';

// Scores of a run as typed rows, and the same scores of your own numbers.

export {
  type Alignment,
  alignment,
  auroc,
  averagePrecision,
  distributionOverlap,
  gini,
  languageEntropy,
  lape,
  mutualInformation,
  type ReferenceCut,
  type ReliabilityRow,
  readScores,
  referenceCut,
  type ScoreSummary,
  type Selection,
  type SkippedScore,
  selectivity,
  selectPolyfact2026,
  selectReference,
  selectTang2024,
  type Tang2024Options,
  type TwoWay,
  twoWay,
  type UnitRow,
  unitRows,
  type VectorShare,
  vectorShare,
} from './scores/index.js';

// Comparisons: levels, changes, contrasts and trends as rows.

export {
  againstReference,
  type Change,
  type ComparedRun,
  type Comparison,
  type Contrast,
  type Estimate,
  type HeadOverlap,
  headlineChanges,
  type LanguageGroup,
  type Level,
  languageGroups,
  type Measure,
  type QuantityKey,
  type Reallocation,
  type RowFilter,
  readComparison,
  rowsOf,
  type SamplingFloor,
  type SeedFloor,
  type SeedTest,
  type Trend,
  type Verdict,
  writeComparison,
} from './compare/index.js';

// Figures as vega-lite specifications, and changes as sentences.

export {
  type AbsentFigure,
  buildFigures,
  changeSentence,
  contrastSentence,
  drawFigure,
  type Figure,
  type FigureName,
  figure,
  isPresent,
} from './report/index.js';

// Files of other programs.

export {
  compareSelections,
  exportCsv,
  exportLapeMask,
  exportTransformerLens,
  type ImportOptions,
  type ImportResult,
  importFiles,
  type LanguageMatrix,
  type PickleValue,
  readMatrix,
  readPytorch,
  type SelectedSet,
  type SelectionComparison,
  type SelectionOverlap,
  type SourceFile,
  TorchTensor,
} from './interchange/index.js';

// Known answers: units planted with set strength, and comparisons of nothing.

export { addWeightNoise, falseChanges, nullComparison, plantUnits, recoverPlanted } from './planted/index.js';

// Errors, which tell what, where, what was expected and found, and the remedy.

export {
  BabelscopeError,
  CheckpointError,
  type ErrorDetails,
  HubError,
  ImportError,
  InputError,
  InterruptedError,
  OutputError,
  ProbeError,
  RunError,
  TokenizerError,
  UsageError,
} from './errors.js';
export { VERSION } from './version.js';
