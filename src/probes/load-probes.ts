import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ProbeError } from '../errors.js';
import { languageOfCode } from './languages/language-code.js';
import { BUILTIN_FOLDER, builtinNames } from './own/builtin-probes.js';
import { throwProblem } from './problems.js';
import { readAnyProbes } from './read-any-probes.js';
import { selectPrompts } from './select-prompts.js';
import type { LoadProbesOptions, ProbeReport, ProbeSet } from './types.js';

/**
 * Reads and validates a probe set: a built-in one by name (`facts`, `pydocs`, `pud`; a folder of your own by the same
 * name is `./facts`), a folder with `probe.json` and `items.jsonl`, or the files of a published set (docs/probes.md).
 *
 * @throws {ProbeError} at the first fault, naming file, line, item and language. Unusable are: a missing or malformed
 * file, invalid UTF-8, an unknown, undeclared or unused language, a duplicate id, an empty text or set, a fact without
 * answer, candidates without the answer, and a language most of whose prompts are not in its script. Single prompts in
 * a wrong script, missing languages and items in one language are counted in `warnings`.
 */
export async function loadProbes(nameOrFolder: string, options: LoadProbesOptions = {}): Promise<ProbeSet> {
  const builtin = await builtinNames();
  const folder = builtin.includes(nameOrFolder) ? join(BUILTIN_FOLDER, nameOrFolder) : nameOrFolder;
  if (!existsSync(folder)) {
    throw new ProbeError({
      what: 'no such probe set',
      where: nameOrFolder,
      expected: `${builtin.join(', ')}, or a folder with probe.json and items.jsonl`,
      found: 'neither a built-in name nor a file or folder',
      remedy: '"babelscope probes list" names the built-in sets and the formats of published ones',
    });
  }
  const wanted = options.languages?.map((tag) => languageOfCode(tag, 'languages'));
  const read = await readAnyProbes(folder, options.format, throwProblem, wanted && new Set(wanted));
  return selectPrompts(read!, options);
}

/** How many faults are kept in full; all are counted. */
const KEPT_ERRORS = 100;

/** Everything that is wrong with the probe set at `folder`, where `loadProbes` would stop at the first fault. */
export async function checkProbes(folder: string, format?: string): Promise<ProbeReport> {
  const errors: ProbeError[] = [];
  let errorCount = 0;
  const read = await readAnyProbes(folder, format, (problem) => {
    errorCount += 1;
    if (errors.length < KEPT_ERRORS) errors.push(new ProbeError(problem));
  });
  const nothing = { identity: null, languages: [], items: [], sources: [], warnings: [] };
  const {
    identity,
    languages,
    items,
    sources = [],
    warnings,
  } = read === undefined ? nothing : selectPrompts(read);
  return {
    folder,
    identity,
    languages: languages.map(({ tag, script }) => ({
      tag,
      script,
      prompts: items.filter(({ prompts }) => prompts.has(tag)).length,
    })),
    items: items.length,
    completeItems: items.filter(({ prompts }) => prompts.size === languages.length).length,
    sources,
    errors,
    errorCount,
    warnings,
  };
}
