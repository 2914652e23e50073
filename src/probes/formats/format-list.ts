import { bmlama, mlama, mlamaRows, xFactr } from './cloze-sets.js';
import type { ProbeFormat } from './format.js';
import { klar, polyfact, polyfactRows, xquad } from './nested-sets.js';
import { longTable, translationRows, wideTable } from './parallel-tables.js';
import { alignedText, flores200, mgsm, unalignedText } from './plain-text.js';
import { promptRows } from './prompt-rows.js';
import { belebele, floresPlus, globalMmlu, mgsmRows, xquadRows } from './question-sets.js';

/** Published formats. Those of plain text are never guessed: aligned and unaligned files look alike. */
export const PROBE_FORMATS: readonly ProbeFormat[] = [
  polyfact,
  polyfactRows,
  klar,
  bmlama,
  mlama,
  mlamaRows,
  xFactr,
  xquad,
  xquadRows,
  mgsm,
  mgsmRows,
  belebele,
  floresPlus,
  flores200,
  globalMmlu,
  promptRows,
  translationRows,
  wideTable,
  longTable,
  alignedText,
  unalignedText,
];

export type { ProbeFormat } from './format.js';

/** What is said of a format that published probe sets are read in. */
export type ProbeFormatDescription = Pick<ProbeFormat, 'name' | 'title' | 'files' | 'licence'>;

/** The name under which a folder with probe.json and items.jsonl is read. */
export const OWN_FORMAT = 'babelscope';

/** The formats in which published probe sets are read, one entry a shape of files; docs/probes.md shows examples. */
export function listProbeFormats(): ProbeFormatDescription[] {
  return PROBE_FORMATS.map(({ name, title, files, licence }) => ({ name, title, files, licence }));
}
