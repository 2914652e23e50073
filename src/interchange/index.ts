export { compareSelections, describeSelection } from './compare-selections.js';
export { EXPORT_POLICIES, type ExportPolicy, exportLapeMask, type MaskDescription } from './export-mask.js';
export { exportCsv } from './export-tables.js';
export { exportTransformerLens } from './export-transformer-lens.js';
export { FACTS, type FactName, type Facts, FILE_OPTIONS, type FileOption } from './formats/facts.js';
export type { ImportFormat } from './formats/format.js';
export { IMPORT_FORMATS } from './formats/format-list.js';
export { type ImportOptions, type ImportResult, importFiles } from './import-files.js';
export { isMatrix, type LanguageMatrix, type MatrixDescription, readMatrix } from './matrix.js';
export type { PickleKey, PickleValue } from './pytorch/pickle-objects.js';
export { readPytorch } from './pytorch/read-pytorch.js';
export { type TorchDtype, TorchTensor } from './pytorch/tensor.js';
export { isSelection, type SelectionDescription } from './selection.js';
export {
  readSelectionComparison,
  type SelectedSet,
  type SelectionComparison,
  type SelectionOverlap,
  writeSelectionComparison,
} from './selection-comparison.js';
export { parseSource, type SourceFile } from './source-files.js';
