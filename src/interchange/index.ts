export {
  compareSelections,
  describeSelection,
  readSelectionComparison,
  type SelectedSet,
  type SelectionComparison,
  type SelectionOverlap,
  writeSelectionComparison,
} from './compare-selections.js';
export { EXPORT_POLICIES, type ExportPolicy, exportLapeMask, type MaskDescription } from './export-mask.js';
export { exportCsv } from './export-tables.js';
export { exportTransformerLens } from './export-transformer-lens.js';
export { importLahis, importLapeCounts } from './import-counts.js';
export { type ImportSelectionOptions, importLapeJson, importLapeMask } from './import-selection.js';
export { importSelfcond } from './import-selfcond.js';
export type { PickleKey, PickleValue } from './pytorch/pickle-objects.js';
export { readPytorch } from './pytorch/read-pytorch.js';
export { type TorchDtype, TorchTensor } from './pytorch/tensor.js';
export { isSelection, type SelectionDescription } from './selection.js';
export { parseSource, type SourceFile } from './source-files.js';
