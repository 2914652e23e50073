import { z } from 'zod';
import { decodeUtf8, parseJson } from '../files/read-json-lines.js';
import { languageOfCode } from '../languages/language-code.js';
import { isScript } from '../languages/script-share.js';
import { attempt, firstIssue, type ReportProblem } from '../problems.js';
import type { ProbeLanguage } from '../types.js';
import { filled } from './read-item.js';

/** `probe.json`: what a probe set says about itself. */
const headerSchema = z.strictObject({
  name: filled,
  version: filled,
  kind: z.enum(['text', 'fact']),
  /** SPDX expression, or a sentence where none fits. */
  licence: filled,
  source: filled,
  languages: z
    .array(
      z.strictObject({
        tag: filled,
        name: filled,
        script: z.string().regex(/^[A-Z][a-z]{3}$/, 'must be an ISO 15924 code, for example Latn'),
        family: filled,
      }),
    )
    .min(1),
  description: filled.optional(),
});

/** `probe.json` with its language tags canonical. */
export type ReadHeader = Omit<z.infer<typeof headerSchema>, 'languages'> & {
  readonly languages: readonly ProbeLanguage[];
};

/** Reads the bytes of `probe.json`; undefined where they say nothing usable. */
export function readHeader(bytes: Uint8Array, file: string, report: ReportProblem): ReadHeader | undefined {
  const text = decodeUtf8(bytes, file, report);
  const json = text === undefined ? undefined : parseJson(text, file, report);
  if (json === undefined) return undefined;
  const header = headerSchema.safeParse(json.value);
  if (!header.success) {
    report({
      what: 'not a description of a probe set',
      where: file,
      expected: 'name, version, kind, licence, source and languages [{tag, name, script, family}]',
      found: firstIssue(header.error),
      remedy: 'see probes/pud/probe.json for an example',
    });
    return undefined;
  }
  const languages = new Map<string, ProbeLanguage>();
  for (const [index, language] of header.data.languages.entries()) {
    const where = `${file}: languages.${index}`;
    const tag = attempt(() => languageOfCode(language.tag, `${where}.tag`), report);
    if (tag === undefined) continue;
    if (languages.has(tag)) {
      report({ what: `language ${tag} is declared twice`, where, remedy: 'leave one of the two out' });
      continue;
    }
    checkScript(language.tag, language.script, where, report);
    languages.set(tag, { ...language, tag });
  }
  return { ...header.data, languages: [...languages.values()] };
}

/** The script that a tag names as it is written; the canonical one leaves out what goes without saying. */
function scriptIn(tag: string): string | undefined {
  try {
    return new Intl.Locale(tag.replaceAll('_', '-')).script;
  } catch {
    return undefined;
  }
}

function checkScript(tag: string, script: string, where: string, report: ReportProblem): void {
  const named = scriptIn(tag);
  if (!isScript(script)) {
    report({
      what: `"${script}" is no known script`,
      where: `${where}.script`,
      expected: 'an ISO 15924 code, for example Latn, Cyrl, Arab, Deva, Hans, Jpan or Kore',
      found: script,
      remedy: 'look the script up in ISO 15924',
    });
  } else if (named !== undefined && named !== script) {
    report({
      what: `the tag ${tag} names one script and the field another`,
      where: `${where}.script`,
      expected: named,
      found: script,
      remedy: 'make the two agree',
    });
  }
}
