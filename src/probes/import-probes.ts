import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { streamFile } from '../read-file.js';
import type { SourceFile } from './files/source-files.js';
import type { SourcePrompt } from './formats/format.js';
import type { ProbeFormat } from './formats/format-list.js';
import { checkOneName, languageSources } from './language-files.js';
import { nameLanguages } from './languages/file-languages.js';
import { describeLanguages } from './own/builtin-probes.js';
import { checkSameCandidates, isUsable } from './own/read-item.js';
import { findWrongScript, type ReadProbes } from './own/read-probes.js';
import type { ReportProblem } from './problems.js';
import { checkSameAnswers, type ReadPrompt } from './same-answers.js';
import type { LanguageTag, ProbeItem } from './types.js';

/** The version of a published set that states none; its sha256 tells versions apart. */
const NO_VERSION = 'unversioned';

/**
 * The probe set that `files` of a published format hold; undefined, after a report, where they hold nothing.
 *
 * @param wanted languages that will be chosen; of any other, two prompts of one item are no fault, and the first is kept
 */
export async function importProbes(
  path: string,
  format: ProbeFormat,
  found: readonly SourceFile[],
  report: ReportProblem,
  wanted?: ReadonlySet<LanguageTag>,
): Promise<ReadProbes | undefined> {
  const named = nameLanguages(found.map(({ name }) => name));
  const files = found.map((file) => ({ ...file, named: named.get(file.name), seen: new Map() }));
  const items = await collectItems(format, files, report, wanted);
  if (items.length === 0) {
    report({
      what: 'the probe set is empty',
      where: path,
      expected: format.files,
      found: `no prompt in ${files.length} files`,
      remedy: 'check the files, or name another format with --format',
    });
    return undefined;
  }
  const sources = languageSources(files);
  checkOneName(sources, wanted, report);
  const tags = new Set(items.flatMap((item) => [...item.prompts.keys()]));
  const languages = await describeLanguages([...tags].sort());
  const prompts = items.flatMap((item) => [...item.prompts.values()]);
  return {
    identity: {
      name: format.own ? `${format.name}:${basename(resolve(path))}` : format.name,
      version: NO_VERSION,
      kind: prompts.every(({ answer }) => answer !== undefined) ? 'fact' : 'text',
      licence: format.licence,
      source: format.source,
      sha256: await hashFiles(files),
      ...(format.parallel === false && { parallel: false }),
    },
    languages,
    items,
    sources,
    wrongScript: findWrongScript(languages, items, path, report, NAMED),
  };
}

/** Languages of files are named after themselves alone; one in another than its usual script says so. */
const NAMED = (tag: LanguageTag, script: string | undefined) => {
  const { language } = new Intl.Locale(tag);
  const check = `check that these texts are ${tag}`;
  return script === undefined
    ? check
    : `${check}; if so, name their script beside the language wherever it is written: ${language}_${script}`;
};

async function collectItems(
  format: ProbeFormat,
  files: readonly SourceFile[],
  report: ReportProblem,
  wanted: ReadonlySet<LanguageTag> | undefined,
): Promise<ProbeItem[]> {
  const items = new Map<string, { prompts: Map<LanguageTag, ReadPrompt>; source: SourcePrompt }>();
  for await (const source of format.read(files, report)) {
    const { id, language, prompt } = source;
    const where = `${source.where} (item ${id}, language ${language})`;
    if (!isUsable(prompt, where, 'text', report)) continue;
    let item = items.get(id);
    if (item === undefined) {
      item = { prompts: new Map(), source };
      items.set(id, item);
    }
    const other = item.prompts.get(language);
    if (other !== undefined) {
      if (wanted !== undefined && !wanted.has(language)) continue;
      report({
        what: `language ${language} occurs twice in one item`,
        where,
        expected: 'one prompt an item and language',
        found: `another one, in ${other.where}`,
        remedy: 'give one split, or one file a language, alone; or leave the language out with --languages',
      });
      continue;
    }
    item.prompts.set(language, { prompt, where: source.where });
  }
  return [...items].map(([id, { prompts: read, source }]) => {
    if (format.byNumber) checkSameAnswers(read, id, report);
    const prompts = new Map([...read].map(([language, { prompt }]) => [language, prompt]));
    checkSameCandidates(prompts, `${source.where} (item ${id})`, report);
    const { meta = {}, clusters } = source;
    return { id, prompts, meta, ...(clusters && { clusters }) };
  });
}

async function hashFiles(files: readonly SourceFile[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { path, name } of files) {
    hash.update(`${name}\0`);
    for await (const piece of streamFile(path)) hash.update(piece);
  }
  return hash.digest('hex');
}
