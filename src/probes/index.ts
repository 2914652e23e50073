export { listBuiltinProbes } from './builtin-probes.js';
export { checkProbes } from './check-probes.js';
export type { ProbeFormat } from './formats/format.js';
export { describeLanguages } from './import-probes.js';
export { canonicalLanguage } from './language-tag.js';
export { listProbeFormats } from './list-formats.js';
export { loadProbes } from './load-probes.js';
export * from './types.js';
