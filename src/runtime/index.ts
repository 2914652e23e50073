export { planBatches } from './batches.js';
export { checkVocabulary } from './check-prompt.js';
export {
  type ChunkStatistics,
  chooseResidency,
  type MemoryNeeds,
  memoryNeeds,
  type Residency,
  tokensThatFit,
} from './memory.js';
export { ModelRunner } from './model-runner.js';
export { RunnerError } from './runner-error.js';
export { physicalCores } from './threads.js';
export type {
  Activation,
  ActivationOptions,
  ChunkProgress,
  ChunkRequest,
  Device,
  LayerReadings,
  PromptActivations,
  RunnerOptions,
  TokenizedPrompt,
} from './types.js';
export { ONNXRUNTIME_VERSION } from './version.js';
