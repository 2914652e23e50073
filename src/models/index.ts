export { type Inspection, inspectCheckpoint, inspectModel } from './inspect.js';
export { openModel, openSubject } from './open-model.js';
export {
  type Batching,
  type GraphOptions,
  hides,
  layerTaps,
  type Model,
  type ModelDescription,
  type ModelGraph,
  type ModelShape,
  type Subject,
  type SubjectOptions,
  WHOLE_INPUTS,
  WHOLE_LOGITS,
} from './types.js';
