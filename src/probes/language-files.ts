import type { SourceFile } from './files/source-files.js';
import type { ReportProblem } from './problems.js';
import type { LanguageSource, LanguageTag } from './types.js';

/** Stands among the languages seen in a file for the one that its name says. */
export const BY_NAME = '';

/** Which files each language was read from, and how it is written there; in the order of languages. */
export function languageSources(files: readonly SourceFile[]): LanguageSource[] {
  const sources = new Map<string, { -readonly [K in keyof LanguageSource]: LanguageSource[K] }>();
  for (const { name, named, seen } of files) {
    for (const [code, language] of seen ?? []) {
      const isNamed = code === BY_NAME && named !== undefined;
      const [written, place] = isNamed ? [named.written, named.place] : [code, 'rows' as const];
      const key = [language, place, written].join('\0');
      const source = sources.get(key);
      if (source === undefined) sources.set(key, { language, written, place, files: 1, first: name });
      else source.files += 1;
    }
  }
  return [...sources.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, source]) => source);
}

/** Two names of files or folders for one language may be two languages, or the same texts twice: that goes to `report`. */
export function checkOneName(
  sources: readonly LanguageSource[],
  wanted: ReadonlySet<LanguageTag> | undefined,
  report: ReportProblem,
): void {
  const first = new Map<LanguageTag, LanguageSource>();
  for (const source of sources) {
    const { language, written, place } = source;
    if (place === 'rows' || (wanted !== undefined && !wanted.has(language))) continue;
    const other = first.get(language);
    if (other === undefined) first.set(language, source);
    else if (other.written.toLowerCase() !== written.toLowerCase()) {
      report({
        what: `two names stand for one language, ${language}`,
        where: source.first,
        expected: `one name for ${language}, as ${other.written} of ${other.first}`,
        found: written,
        remedy:
          'give one of the two, name what tells them apart (sr_Latn, pt_BR), or leave the language out with --languages',
      });
    }
  }
}

/** `de: folder de, 2 files (de/a.txt, …)`: the sentence that is shown of it. */
export function describeSource({ language, written, place, files, first }: LanguageSource): string {
  const from = place === 'rows' ? `${JSON.stringify(written)} in the rows` : `the ${place} ${written}`;
  return `${language}: by ${from}, ${files === 1 ? `1 file (${first})` : `${files} files (${first}, …)`}`;
}
