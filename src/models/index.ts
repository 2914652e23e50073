export { bloom } from './bloom.js';
export { cohere, cohere2 } from './cohere.js';
export { deepseekV2, deepseekV3 } from './deepseek.js';
export { falcon } from './falcon.js';
export { gemma } from './gemma.js';
export { gemma2, gemma3, gemma3Multimodal } from './gemma2.js';
export { gptNeox } from './gpt-neox.js';
export { gptOss } from './gpt-oss.js';
export { gpt2 } from './gpt2.js';
export { granite } from './granite.js';
export { type Inspection, inspectCheckpoint, inspectModel } from './inspect-checkpoint.js';
export { layerTaps } from './layer-taps.js';
export { llama } from './llama.js';
export { mixtral } from './mixtral.js';
export { olmo } from './olmo.js';
export { olmo2, olmo3 } from './olmo2.js';
export { olmoe } from './olmoe.js';
export { openModel } from './open-model.js';
export { openSubject, type Subject, type SubjectOptions } from './open-subject.js';
export { phi3 } from './phi3.js';
export { qwen2Moe, qwen3Moe } from './qwen-moe.js';
export { qwen2 } from './qwen2.js';
export { qwen3 } from './qwen3.js';
export { smollm3 } from './smollm3.js';
export {
  type Batching,
  hides,
  type Model,
  type ModelDescription,
  type ModelGraph,
  type ModelShape,
  WHOLE_INPUTS,
  WHOLE_LOGITS,
} from './types.js';
export { xglm } from './xglm.js';
