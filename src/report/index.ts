export { drawFigure } from './drawing/render.js';
export { type AbsentFigure, type Figure, isPresent } from './figures/figure.js';
export { buildFigures, type FigureName, figure } from './figures/list.js';
export { matrixFigure, writeMatrixReport } from './matrix.js';
export { selectionFigure, writeSelectionReport } from './selections.js';
export { changeSentence, contrastSentence } from './words/measures.js';
export { plural } from './words/text.js';
export { REPORT_FORMATS, type ReportFormat, type WriteReportOptions, writeReport } from './write-report.js';
