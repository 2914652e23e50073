export {
  type FoldShape,
  liveFolds,
  meanOverTokens,
  type Numbers,
  pickColumns,
  pickTokens,
  type RoutedTokens,
  readTokenCounts,
  type TokenCounts,
  tokensOf,
} from './arrays/fold-sums.js';
export { languageAbsent, type PooledGrid, readPooledGrid } from './arrays/pooled-grid.js';
export {
  ARRAYS_AS_WRITTEN,
  expectedLayerArrays,
  ITEM_ARRAYS,
  type ItemsName,
  isItemsName,
  type LayerArrayName,
  neuronsWithoutItems,
  RUN_ARRAYS,
  type StatisticName,
  tapOf,
} from './arrays/run-arrays.js';
export {
  BLOCK_MEMORY_BYTES,
  expertOfUnit,
  type ModelSizes,
  SCORED_TYPES,
  type ScoredType,
  UNIT_TYPES,
  UnitLayout,
  type UnitRange,
  type UnitType,
  unitBlocks,
  unitLayout,
} from './arrays/unit-layout.js';
export { fromFloat16, toFloat16 } from './files/float16.js';
export {
  type ArrayDescription,
  arrayBytes,
  openSafetensors,
  type PlannedArray,
  type SafetensorsFile,
  slabs,
  streamSafetensors,
  streamSealed,
} from './files/safetensors.js';
export { Scratch, ScratchArray } from './files/scratch.js';
export {
  type ColumnType,
  ROW_GROUP_ROWS,
  readTable,
  readTableMetadata,
  readTableRows,
  streamTable,
  type Table,
  type TableValue,
} from './files/table.js';
export { csvLine, writeJson } from './files/text-files.js';
export { makeFolder, removeStale, toOutputError, writeFileAtomic } from './files/write-file-atomic.js';
export {
  type Checksums,
  checkSealed,
  DamagedError,
  type FileChecksum,
  sha256OfFile,
} from './integrity/checksum.js';
export { type LockOptions, withFolderLock } from './integrity/folder-lock.js';
export {
  checkListed,
  commandOf,
  otherVersion,
  quoted,
  type ReadRecord,
  type RecordMeta,
  type RecordName,
  readRecord,
  recordsIn,
  writeRecord,
} from './integrity/record.js';
export { type DamagedFile, type Verification, verify } from './integrity/verify.js';
export {
  type Clustering,
  MOST_LAYERS,
  RUN_SCHEMA_VERSION,
  type RunManifest,
  type RunPlan,
  runManifestSchema,
} from './run/manifest.js';
export {
  checkLayer,
  type ItemBlock,
  openRun,
  type Run,
  type RunLayer,
  recordedArrays,
  rowReader,
} from './run/open-run.js';
export {
  type ListedManifest,
  layerName,
  layerPath,
  manifestPath,
  partPath,
  readListedManifest,
  readManifest,
  writeManifest,
} from './run/run-folder.js';
