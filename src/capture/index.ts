export { capture } from './capture.js';
export { CHUNK_TOKENS } from './chunks.js';
export { type CaptureEstimate, estimateCapture } from './estimate-capture.js';
export { FOLDS } from './folds.js';
export { tokenizeGrid } from './grid.js';
export { DEFAULT_HOOKS, EXTRA_HOOKS, type ExtraHook } from './layout.js';
export { type MergeOptions, mergeRun } from './merge-run.js';
export type { CaptureOptions, CaptureProgress, CaptureResult } from './types.js';
