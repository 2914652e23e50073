export { answerTasks } from './answer-tasks.js';
export { type DotProducts, openDotProducts } from './dot-products.js';
export {
  type GradientOptions,
  type LoadedModel,
  type LoadModelOptions,
  loadModel,
  type RunTextOptions,
  type TextGradients,
  type TextRun,
} from './load-model.js';
export { measureGflops, ONNXRUNTIME_VERSION, physicalCores } from './machine.js';
export { batchTokens, planBatches } from './memory/batches.js';
export {
  bytesOfWorkers,
  type ChunkStatistics,
  chooseResidency,
  type MemoryNeeds,
  MOST_WORKERS,
  memoryNeeds,
  PROCESS_BYTES,
  type Residency,
  tokensThatFit,
} from './memory/memory.js';
export { ModelRunner } from './model-runner.js';
export { checkVocabulary } from './prompts.js';
export { runTasks, TaskThreads } from './run-tasks.js';
export type {
  Activation,
  ActivationOptions,
  ChunkProgress,
  ChunkRequest,
  Device,
  LayerReadings,
  PromptActivations,
  PromptGradients,
  RunnerOptions,
  TokenizedPrompt,
} from './types.js';
export { RunnerError } from './worker/failures.js';
