export type { ProbeFormat } from './formats/format.js';
export { listProbeFormats } from './formats/format-list.js';

export { describeSource } from './language-files.js';
export { languageOfCode } from './languages/language-code.js';
export { checkProbes, loadProbes } from './load-probes.js';
export { builtinSizes, describeLanguages, listBuiltinProbes } from './own/builtin-probes.js';
export {
  ANSWER_SEPARATOR,
  type BuiltinProbes,
  type LanguageSource,
  type LanguageTag,
  type LoadProbesOptions,
  type ProbeIdentity,
  type ProbeItem,
  type ProbeLanguage,
  type ProbeReport,
  type ProbeSet,
  type ProbeWarning,
  type Prompt,
} from './types.js';
