import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ProbeError } from '../errors.js';
import { BUILTIN_FOLDER, builtinNames } from './builtin-probes.js';
import { canonicalLanguage } from './language-tag.js';
import { throwProblem } from './problems.js';
import { readAnyProbes } from './read-any-probes.js';
import { selectPrompts } from './select-prompts.js';
import type { LoadProbesOptions, ProbeSet } from './types.js';

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
  const wanted = options.languages?.map((tag) => canonicalLanguage(tag, 'languages'));
  const read = await readAnyProbes(folder, options.format, throwProblem, wanted && new Set(wanted));
  return selectPrompts(read!, options);
}
