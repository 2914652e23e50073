export { capture } from './capture.js';
export { type MergeOptions, mergeRun } from './parts/merge-run.js';
export { CHUNK_TOKENS, FOLDS } from './plan/deal.js';
export { type CaptureEstimate, estimateCapture } from './plan/estimate-capture.js';
export { DEFAULT_HOOKS, EXTRA_HOOKS, type ExtraHook } from './plan/recording.js';
export { tokenizeGrid } from './prompts/grid.js';
export type { CaptureOptions, CaptureProgress, CaptureResult } from './types.js';
