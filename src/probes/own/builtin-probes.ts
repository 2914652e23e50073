import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { throwProblem } from '../problems.js';
import type { BuiltinProbes, LanguageTag, ProbeLanguage } from '../types.js';
import { readHeader } from './read-header.js';

/** Where the built-in sets lie, seen from `src/probes/own/` and from `dist/probes/own/` alike. */
export const BUILTIN_FOLDER = fileURLToPath(new URL('../../../probes/', import.meta.url));

/** The probe sets this package comes with, by name. Reads their descriptions and counts their items, no more. */
export async function listBuiltinProbes(): Promise<BuiltinProbes[]> {
  return await Promise.all((await builtinNames()).map(describe));
}

/** Items of each built-in set, by its name. */
export async function builtinSizes(): Promise<ReadonlyMap<string, number>> {
  return new Map((await listBuiltinProbes()).map(({ name, items }) => [name, items]));
}

/** Names of the built-in sets, in alphabetical order. */
export async function builtinNames(): Promise<string[]> {
  const entries = await readdir(BUILTIN_FOLDER, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

async function describe(folderName: string): Promise<BuiltinProbes> {
  const folder = join(BUILTIN_FOLDER, folderName);
  const headerFile = join(folder, 'probe.json');
  const { name, version, kind, licence, source, languages } = readHeader(
    await readFile(headerFile),
    headerFile,
    throwProblem,
  )!;
  const items = (await readFile(join(folder, 'items.jsonl'), 'latin1')).split('\n').filter(Boolean).length;
  return { name, version, kind, licence, source, items, languages: languages.map(({ tag }) => tag), folder };
}

/** The languages of the built-in sets, those of several sets more than once. */
async function listBuiltinLanguages(): Promise<readonly ProbeLanguage[]> {
  const files = (await builtinNames()).map((name) => join(BUILTIN_FOLDER, name, 'probe.json'));
  const headers = files.map(async (file) => readHeader(await readFile(file), file, throwProblem)!.languages);
  return (await Promise.all(headers)).flat();
}

/** Names and scripts as CLDR has them; families as in the built-in sets. */
export async function describeLanguages(tags: readonly LanguageTag[]): Promise<ProbeLanguage[]> {
  const names = new Intl.DisplayNames('en', { type: 'language' });
  const known = await listBuiltinLanguages();
  return tags.map((tag) => {
    const { language } = new Intl.Locale(tag);
    return {
      tag,
      name: names.of(tag) ?? tag,
      script: new Intl.Locale(tag).maximize().script ?? 'Zyyy',
      family: known.find((one) => new Intl.Locale(one.tag).language === language)?.family ?? 'unknown',
    };
  });
}
