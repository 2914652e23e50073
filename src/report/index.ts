export {
  type AbsentFigure,
  againstReference,
  type Figure,
  type FigureName,
  isPresent,
} from './figures/figure.js';
export { buildFigures } from './figures/list.js';
export { selectionFigure, writeSelectionReport } from './selections.js';
export { alignmentChanges } from './words/alignment-words.js';
export { contrastSentence, headlineSentence } from './words/measures.js';
export { plural } from './words/text.js';
export { REPORT_FORMATS, type ReportFormat, type WriteReportOptions, writeReport } from './write-report.js';
