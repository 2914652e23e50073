import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { readJsonLines } from '../files/read-json-lines.js';
import { readBytes } from '../files/source-files.js';
import { commonestScript, isInScript } from '../languages/script-share.js';
import type { ReportProblem } from '../problems.js';
import type { LanguageSource, LanguageTag, ProbeIdentity, ProbeItem, ProbeLanguage } from '../types.js';
import { type ReadHeader, readHeader } from './read-header.js';
import { readItem } from './read-item.js';

/** A whole probe set as it lies on disk, before languages and items are chosen from it. */
export interface ReadProbes {
  readonly identity: ProbeIdentity;
  readonly languages: readonly ProbeLanguage[];
  readonly items: readonly ProbeItem[];
  readonly sources: readonly LanguageSource[];
  /** Item ids a language, of prompts that are not in the language's script. */
  readonly wrongScript: ReadonlyMap<LanguageTag, readonly string[]>;
}

/** Errors say so of a folder that lacks one of the own format's files. */
const BOTH_FILES = {
  expected: 'a folder with probe.json and items.jsonl',
  remedy: 'check the path; "babelscope probes list" names the built-in sets',
};

/** One text in the wrong script is a slip in the data; from this share of a language on it is the wrong language. */
const MOST_WRONG_SCRIPT = 0.5;

/**
 * Reads `probe.json` and `items.jsonl` of `folder`. Each fault goes to `report`; where that returns, reading goes on
 * with what is left, and the answer is undefined when nothing is. It never is where `report` throws.
 */
export async function readProbes(folder: string, report: ReportProblem): Promise<ReadProbes | undefined> {
  const headerFile = join(folder, 'probe.json');
  const itemsFile = join(folder, 'items.jsonl');
  const headerBytes = await readBytes(headerFile, report, BOTH_FILES);
  const itemsBytes = await readBytes(itemsFile, report, BOTH_FILES);
  if (headerBytes === undefined || itemsBytes === undefined) return undefined;
  const header = readHeader(headerBytes, headerFile, report);
  if (header === undefined) return undefined;
  const items = readItems(itemsBytes, itemsFile, header, report);
  const { name, version, kind, licence, source } = header;
  const sha256 = createHash('sha256').update(headerBytes).update(itemsBytes).digest('hex');
  return {
    identity: { name, version, kind, licence, source, sha256 },
    languages: header.languages,
    items,
    sources: [],
    wrongScript: findWrongScript(header.languages, items, itemsFile, report, DECLARED),
  };
}

function readItems(bytes: Uint8Array, file: string, header: ReadHeader, report: ReportProblem): ProbeItem[] {
  const declared = new Set(header.languages.map(({ tag }) => tag));
  const lineOf = new Map<string, number>();
  const items: ProbeItem[] = [];
  for (const { line, value } of readJsonLines(bytes, file, report)) {
    const item = readItem(value, `${file}:${line}`, { kind: header.kind, declared }, report);
    if (item === undefined) continue;
    const earlier = lineOf.get(item.id);
    if (earlier !== undefined) {
      report({
        what: `two items have the id ${item.id}`,
        where: `${file}:${line}`,
        expected: 'an id of its own for each item',
        found: `the id of line ${earlier}`,
        remedy: 'rename or remove one of the two',
      });
      continue;
    }
    lineOf.set(item.id, line);
    items.push(item);
  }
  if (lineOf.size === 0) {
    report({
      what: 'the probe set is empty',
      where: file,
      expected: 'at least one item',
      found: 'none',
      remedy: 'write one JSON object a line, as `babelscope probes show facts` shows them',
    });
    return items;
  }
  for (const { tag } of header.languages) {
    if (items.some(({ prompts }) => prompts.has(tag))) continue;
    report({
      what: `language ${tag} is declared and never used`,
      where: file,
      expected: `at least one item with a prompt in ${tag}`,
      found: 'none',
      remedy: 'add prompts, or take the language out of probe.json',
    });
  }
  return items;
}

const DECLARED = (tag: LanguageTag) => `check that these texts are ${tag}, and its "script" in probe.json`;

/** Item ids a language, of prompts in another script; a language most of whose prompts are goes to `report`. */
export function findWrongScript(
  languages: readonly ProbeLanguage[],
  items: readonly ProbeItem[],
  file: string,
  report: ReportProblem,
  remedy: (tag: LanguageTag, script: string | undefined) => string,
): Map<LanguageTag, string[]> {
  const wrong = new Map<LanguageTag, string[]>();
  for (const { tag, script } of languages) {
    const present = items.filter(({ prompts }) => prompts.has(tag));
    const ids = present
      .filter((item) => !isInScript(item.prompts.get(tag)!.text, script))
      .map(({ id }) => id);
    if (ids.length > MOST_WRONG_SCRIPT * present.length) {
      report({
        what: `language ${tag} is not written in ${script}`,
        where: `${file} (item ${ids[0]}, language ${tag})`,
        expected: `letters of ${script}`,
        found: `${ids.length} of ${present.length} prompts in another script`,
        remedy: remedy(tag, commonestScript(present.map((item) => item.prompts.get(tag)!.text))),
      });
    } else if (ids.length > 0) {
      wrong.set(tag, ids);
    }
  }
  return wrong;
}
