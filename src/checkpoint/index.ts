export { ADAPTER_WEIGHTS } from './adapter/lora-config.js';
export { isTargeted, rankAndScale } from './adapter/lora-targets.js';
export { checkPackedWeights, checkQuantisation } from './check-quantisation.js';
export { checkSizes } from './check-sizes.js';
export {
  nonnegativeInteger,
  positiveInteger,
  positiveNumber,
  readConfigField,
  readRenamedField,
} from './config-field.js';
export type { DownloadOptions, DownloadProgress } from './hub/download-snapshot.js';
export { commonFolder, parseHubPath } from './hub-cache.js';
export { identifyCheckpoint, sha256OfFiles } from './identify-checkpoint.js';
export { modelLabel } from './model-label.js';
export { type OpenCheckpointOptions, openCheckpoint } from './open-checkpoint.js';
export { readJsonObject } from './read-json.js';
export { requireTensor } from './require-tensor.js';
export { requireWeight, rowOf } from './require-weight.js';
export { type Rope, readRope } from './rope.js';
export { readSafetensorsHeader, type StoredTensor } from './safetensors-header.js';
export type {
  Adapter,
  Checkpoint,
  ModelIdentity,
  PackedDtype,
  PackedTensor,
  QuantisedWeight,
  UnreadableTensor,
  WeightDtype,
  WeightTensor,
} from './types.js';
