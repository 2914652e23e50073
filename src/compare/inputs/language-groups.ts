import { z } from 'zod';
import { ProbeError, UsageError } from '../../errors.js';
import { languageOfCode } from '../../probes/index.js';
import { readJsonObject } from '../../read-json.js';
import type { Comparison, LanguageGroup } from '../comparison.js';

type Languages = Comparison['languages'];

const groupsSchema = z.record(z.string(), z.array(z.string()));

/**
 * Groups of languages from what somebody wrote for each: `family` or `script` (one group for each that the probe set
 * names), `name=en,es,…` (one group), or the path of a JSON file `{"name": ["en", "es", …], …}`.
 *
 * @throws UsageError if a file is unusable, a group is empty, named twice or holds a language the runs lack.
 */
export async function languageGroups(
  specs: readonly string[],
  languages: Languages,
): Promise<LanguageGroup[]> {
  const groups: LanguageGroup[] = [];
  for (const spec of specs) groups.push(...(await groupsOf(spec, languages)));
  checkGroups(groups, languages);
  return groups;
}

/** @throws UsageError if a group is empty, named twice or holds a language twice, or one the runs lack. */
export function checkGroups(groups: readonly LanguageGroup[], languages: Languages): void {
  const names = new Set<string>();
  const tags = languages.map(({ tag }) => tag);
  for (const { name, languages: own } of groups) {
    if (name === '' || names.has(name)) {
      throw unusable(`two groups of languages have the same name, or one has none`, 'a name for each', name);
    }
    names.add(name);
    const strange = own.find((tag, i) => !tags.includes(tag) || own.indexOf(tag) !== i);
    if (own.length === 0 || strange !== undefined) {
      throw unusable(
        `the group of languages "${name}" is unusable`,
        `one or more of ${tags.join(', ')}, each once`,
        own.join(', ') || 'none',
      );
    }
  }
}

async function groupsOf(spec: string, languages: Languages): Promise<LanguageGroup[]> {
  if (spec === 'family' || spec === 'script') {
    const names = [...new Set(languages.map((language) => language[spec]))];
    return names.map((name) => ({
      name,
      languages: languages.filter((language) => language[spec] === name).map(({ tag }) => tag),
    }));
  }
  const [name, list] = spec.split('=');
  if (list !== undefined) {
    return [{ name: name!.trim(), languages: list.split(',').map(canonical) }];
  }
  const value = await readJsonObject(spec, 'give family, script, name=en,es,… or a JSON file', UsageError);
  const parsed = groupsSchema.safeParse(value);
  if (!parsed.success) {
    throw unusable('the file of language groups is unusable', '{"name": ["en", "es", …], …}', spec);
  }
  return Object.entries(parsed.data).map(([key, tags]) => ({ name: key, languages: tags.map(canonical) }));
}

/** Languages of a group are named as those of files and options are: `de`, `deu_Latn`, `German`. */
function canonical(language: string): string {
  if (language.trim() === '') return '';
  try {
    return languageOfCode(language, '--groups');
  } catch (cause) {
    if (!(cause instanceof ProbeError)) throw cause;
    throw new UsageError(cause.details, { cause });
  }
}

function unusable(what: string, expected: string, found: string): UsageError {
  return new UsageError({
    what,
    where: '--groups',
    expected,
    found,
    remedy: 'Name each group once and give it languages of the runs.',
  });
}
