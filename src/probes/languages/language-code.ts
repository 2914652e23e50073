import { ProbeError } from '../../errors.js';
import type { LanguageTag } from '../types.js';
import { tagOfName } from './language-name.js';
import { canonicalLanguage } from './language-tag.js';

/** Tags whose region stands for a script. Everything else is CLDR's: `arb` → `ar`, `eng-Latn` → `en`. */
const SCRIPT_BY_REGION: Readonly<Record<string, LanguageTag>> = {
  'zh-CN': 'zh',
  'zh-SG': 'zh',
  'zh-TW': 'zh-Hant',
};

/** Scripts that CLDR counts as part of a language's usual one: FLORES writes Korean `kor_Hang`, CLDR `Kore`. */
const PART_OF: Readonly<Record<string, string>> = { Aran: 'Arab', Hang: 'Kore', Hira: 'Jpan', Kana: 'Jpan' };

/** A macrolanguage before the code that BCP 47 prefers: `zh-cmn-Hans` is `cmn-Hans`. */
const EXTENDED = /^[a-z]{2,3}-(?=[a-z]{3}(?:-|$))/i;

/**
 * The one BCP 47 tag of a language, whatever its spelling in files, options and imports: `eng_Latn`, `ENG` and `English` →
 * `en`, `zho_Hant` and `zh-TW` → `zh-Hant`, `zh_cn`, `cmn_Hans` and `zh-Hans-CN` → `zh`, `iw` → `he`, `pt_br` → `pt-BR`. A
 * script stays where it distinguishes: `uzn_Cyrl` → `uz-Cyrl`; one that the language is written in anyway is left out.
 *
 * @param where named in the error
 * @throws {ProbeError} for what is no known language
 */
export function languageOfCode(code: string, where: string): LanguageTag {
  const hyphened = code.trim().replaceAll('_', '-');
  try {
    return shortest(canonicalLanguage(hyphened, where));
  } catch (error) {
    if (!(error instanceof ProbeError)) throw error;
    if (EXTENDED.test(hyphened)) {
      const plain = knownCode(hyphened.replace(EXTENDED, ''));
      if (plain !== undefined) return plain;
    }
    const named = tagOfName(code);
    if (named !== undefined) return shortest(canonicalLanguage(named, where));
    throw new ProbeError({
      ...error.details,
      what: `"${code}" is no known language tag`,
      expected: 'a language as a tag, a code or in English: en, pt-BR, zh-Hant, eng_Latn, German',
      found: JSON.stringify(code),
    });
  }
}

/** The tag of a code, names aside; undefined where it is none. */
export function knownCode(code: string): LanguageTag | undefined {
  try {
    return shortest(canonicalLanguage(code.replaceAll('_', '-'), code));
  } catch {
    return undefined;
  }
}

/** A canonical tag without a script that goes without saying. */
function shortest(tag: LanguageTag): LanguageTag {
  const { language, script, region } = new Intl.Locale(tag);
  const parts = [language, script, region].filter((part) => part !== undefined);
  // Variants, `ca-valencia`, tell languages apart: such a tag stays whole.
  if (parts.join('-') !== tag) return tag;
  const plain = new Intl.Locale(language, region === undefined ? {} : { region });
  const usual = plain.maximize().script;
  const goes = script === undefined || script === usual || PART_OF[script] === usual;
  return goes ? (SCRIPT_BY_REGION[plain.toString()] ?? plain.toString()) : tag;
}
