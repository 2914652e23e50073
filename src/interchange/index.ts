export { EXPORT_POLICIES, type ExportPolicy, exportLapeMask, type MaskDescription } from './export-mask.js';
export { exportCsv } from './export-tables.js';
export { exportTransformerLens } from './export-transformer-lens.js';
export { importLahis, importLapeCounts } from './import-counts.js';
export { readPytorch } from './pytorch/read-pytorch.js';
export type { TorchDtype } from './pytorch/tensor.js';
export { TorchTensor } from './pytorch/tensor.js';
export type { PickleKey, PickleValue } from './pytorch/unpickle.js';
export { parseSource, type SourceFile } from './source-files.js';
