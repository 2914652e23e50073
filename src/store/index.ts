export { csvLine } from './csv.js';
export { fromFloat16, toFloat16 } from './float16.js';
export {
  type FoldShape,
  liveFolds,
  meanOverTokens,
  type Numbers,
  pickColumns,
  pickTokens,
  type RoutedTokens,
  type TokenCounts,
  tokensOf,
} from './fold-sums.js';
export { formatJson } from './format-json.js';
export {
  LAYER_ARRAYS,
  RUN_SCHEMA_VERSION,
  type RunManifest,
  type RunPlan,
  runManifestSchema,
} from './manifest.js';
export {
  expectedLayerArrays,
  type ItemBlock,
  type ItemsName,
  type LayerArrayName,
  neuronsWithoutItems,
  openRun,
  type Run,
  type RunLayer,
  rowReader,
  type StatisticName,
} from './open-run.js';
export { languageAbsent, type PooledGrid, readPooledGrid } from './pooled-grid.js';
export { recordedArrays } from './recorded-arrays.js';
export { layerPath, manifestPath, partPath, readManifest, writeManifest } from './run-folder.js';
export {
  arrayBytes,
  openSafetensors,
  type PlannedArray,
  type SafetensorsFile,
  streamSafetensors,
} from './safetensors.js';
export { Scratch, ScratchArray } from './scratch.js';
export {
  type ColumnType,
  ROW_GROUP_ROWS,
  readTable,
  readTableMetadata,
  readTableRows,
  streamTable,
  type Table,
  type TableValue,
} from './table.js';
export { readTokenCounts } from './token-counts.js';
export { expertOfUnit, type ModelSizes, UnitLayout, unitLayout } from './unit-layout.js';
export { SCORED_TYPES, type ScoredType, UNIT_TYPES, type UnitType } from './unit-types.js';
export { makeFolder, removeStale, toOutputError, writeFileAtomic } from './write-file-atomic.js';
