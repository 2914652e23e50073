import { basename, dirname } from 'node:path/posix';
import type { LanguageTag } from '../types.js';
import { canonicalLanguage } from './language-tag.js';

/** Codes whose region stands for a script. Everything else is CLDR's: `arb` → `ar`, `eng-Latn` → `en`. */
const SCRIPT_BY_REGION: Readonly<Record<string, LanguageTag>> = {
  'zh-CN': 'zh',
  'zh-SG': 'zh',
  'zh-TW': 'zh-Hant',
};

/** Scripts that CLDR counts as part of a language's usual one: FLORES writes Korean `kor_Hang`, CLDR `Kore`. */
const PART_OF: Readonly<Record<string, string>> = { Hang: 'Kore', Hira: 'Jpan', Kana: 'Jpan' };

/**
 * The BCP 47 tag of a published set's own code, underscores allowed: `eng_Latn` → `en`, `zho_Hant` → `zh-Hant`, `zh_cn`
 * → `zh`, `pt_BR` → `pt-BR`. A script that the language is written in anyway is left out.
 *
 * @throws {ProbeError} a code that is no known language
 */
export function languageOfCode(code: string, where: string): LanguageTag {
  const tag = canonicalLanguage(code.replaceAll('_', '-'), where);
  const { language, script, region } = new Intl.Locale(tag);
  const short = SCRIPT_BY_REGION[tag];
  if (short !== undefined) return short;
  if (script === undefined) return tag;
  const plain = new Intl.Locale(language, region === undefined ? {} : { region });
  const usual = plain.maximize().script;
  return script === usual || PART_OF[script] === usual ? plain.toString() : tag;
}

/** A language code, alone or at the end of a name: `en`, `mgsm_en`, `xquad.zh`, `eng_Latn`, `train-pt_BR`. */
const CODE_AT_END = /(?:^|[._-])([a-z]{2,3}(?:[_-](?:[A-Z][a-z]{3}|[A-Za-z]{2}))?)$/;
const CODE_ALONE = /^[A-Za-z]{2,3}(?:[_-][A-Za-z]{2,4}){0,2}$/;

/** Names of splits and folders that are codes of small languages too; no published set holds those. */
const NO_CODES: ReadonlySet<string> = new Set(['all', 'dev', 'new', 'old', 'raw', 'sub', 'val']);

/** Extensions a data file may have, the last ones first. */
const EXTENSIONS = /\.(?:gz|jsonl?|ndjson|tsv|csv|txt|parquet|dev|devtest|test)$/;

/**
 * The language that the name of a file or, failing that, of the folders it lies in names; undefined where none does.
 *
 * @param path relative, with forward slashes
 */
export function languageOfPath(path: string): LanguageTag | undefined {
  let name = basename(path);
  while (EXTENSIONS.test(name)) name = name.replace(EXTENSIONS, '');
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    for (const code of [CODE_ALONE.exec(name)?.[0], CODE_AT_END.exec(name)?.[1]]) {
      const tag = code === undefined || NO_CODES.has(code) ? undefined : knownCode(code);
      if (tag !== undefined) return tag;
    }
    if (folder === '.' || folder === '/') return undefined;
    name = basename(folder);
  }
}

function knownCode(code: string): LanguageTag | undefined {
  try {
    return languageOfCode(code, code);
  } catch {
    return undefined;
  }
}
