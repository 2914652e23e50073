export { alignmentChanges } from './alignment-words.js';
export { type AbsentFigure, againstReference, type Figure, type FigureName, isPresent } from './figure.js';
export { buildFigures } from './figures.js';
export { contrastSentence, headlineSentence } from './measures.js';
export { selectionFigure, writeSelectionReport } from './selections.js';
export { plural } from './text.js';
export { REPORT_FORMATS, type ReportFormat, type WriteReportOptions, writeReport } from './write-report.js';
