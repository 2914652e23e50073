export type { ProbeFormat } from './formats/format.js';
export { listProbeFormats } from './formats/format-list.js';
export { describeLanguages } from './import-probes.js';
export { canonicalLanguage } from './languages/language-tag.js';
export { checkProbes, loadProbes } from './load-probes.js';
export { listBuiltinProbes } from './own/builtin-probes.js';
export * from './types.js';
