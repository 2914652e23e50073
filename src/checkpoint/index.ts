export {
  checkSizes,
  nonnegativeInteger,
  positiveInteger,
  positiveNumber,
  readConfigField,
  readRenamedField,
} from './config/config-field.js';
export { type Rope, type RopeOptions, readRope } from './config/rope.js';
export { commonFolder, isInside, parseHubPath } from './hub/cache-folder.js';
export type { DownloadOptions, DownloadProgress } from './hub/snapshot.js';
export { filesOf, identifyCheckpoint, modelLabel, type WeightFile } from './identify-checkpoint.js';
export { ADAPTER_WEIGHTS } from './lora/lora-config.js';
export { isTargeted, rankAndScale } from './lora/lora-targets.js';
export { type OpenCheckpointOptions, openCheckpoint } from './open-checkpoint.js';
export { identifyTokenizer, openTokenizer, type TokenizerFolder } from './open-tokenizer.js';
export { checkPackedWeights, checkQuantisation } from './quantised/check-quantisation.js';
export { requireWeight, rowOf } from './quantised/require-weight.js';
export { readSafetensorsHeader, type StoredTensor } from './safetensors/header.js';
export { requireTensor } from './safetensors/require-tensor.js';
export { sha256OfFiles } from './sha256-of-files.js';
export { isScale, isStoredTable } from './stored-tables.js';
export { findTokenizerFiles, hashTokenizerFiles } from './tokenizer-files.js';
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
