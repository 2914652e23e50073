import type { LanguageTag } from '../types.js';

const ALPHABET = [...'abcdefghijklmnopqrstuvwxyz'];
const PAIRS = ALPHABET.flatMap((a) => ALPHABET.map((b) => a + b));
const TRIPLES = () => PAIRS.flatMap((pair) => ALPHABET.map((c) => pair + c));

/** Tags with a region or script that have a name of their own: `Brazilian Portuguese`. */
const COMPOSED = ['pt-BR', 'pt-PT', 'zh-Hans', 'zh-Hant', 'en-GB', 'en-US', 'es-MX', 'es-ES', 'fr-CA'];

/** Names in common use beside CLDR's. */
const OTHER_NAMES: Readonly<Record<string, LanguageTag>> = {
  bokmal: 'nb',
  castilian: 'es',
  farsi: 'fa',
  mandarin: 'zh',
  'mandarin chinese': 'zh',
  oriya: 'or',
  panjabi: 'pa',
  'standard arabic': 'ar',
  'standard malay': 'ms',
  tagalog: 'fil',
  uighur: 'ug',
};

/** Scripts that sets name in brackets, in CLDR's words and in shorter ones. */
const SCRIPTS: Readonly<Record<string, string>> = {
  arabic: 'Arab',
  bengali: 'Beng',
  cyrillic: 'Cyrl',
  devanagari: 'Deva',
  gurmukhi: 'Guru',
  hebrew: 'Hebr',
  jawi: 'Arab',
  latin: 'Latn',
  roman: 'Latn',
  shahmukhi: 'Arab',
  simplified: 'Hans',
  tifinagh: 'Tfng',
  traditional: 'Hant',
};

/** `Scottish_Gaelic`, `scottish gaelic` → one spelling. */
const spelling = (name: string) =>
  name
    .trim()
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, ' ');

function namesOf(codes: readonly string[]): Map<string, LanguageTag> {
  const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });
  return new Map(
    codes.flatMap((code): [string, LanguageTag][] => {
      const english = names.of(code);
      // Codes that stand for another one, as `iw` for `he`, have its name.
      const own = english !== undefined && new Intl.Locale(code).toString() === code;
      return own ? [[spelling(english), code]] : [];
    }),
  );
}

let common: ReadonlyMap<string, LanguageTag> | undefined;
let rare: ReadonlyMap<string, LanguageTag> | undefined;

/** The tag of a name of a language with a code of two letters, `Bulgarian`; undefined of anything else. */
export function tagOfCommonName(name: string): LanguageTag | undefined {
  common ??= new Map([...namesOf([...PAIRS, ...COMPOSED]), ...Object.entries(OTHER_NAMES)]);
  return common.get(spelling(name));
}

/**
 * The tag of an English name of a language as CLDR has it, with or without its script: `Bulgarian`, `Traditional Chinese`,
 * `Serbian (Latin)`, `Uzbek_Cyrillic`; undefined of anything else.
 */
export function tagOfName(name: string): LanguageTag | undefined {
  const whole = tagOfCommonName(name) ?? tagOfRareName(name);
  if (whole !== undefined) return whole;
  const match = /^(.+?)\s*\((.+)\)$/.exec(name.trim()) ?? /^(.+)[\s_-]([^\s_-]+)$/.exec(name.trim());
  const script = SCRIPTS[spelling(match?.[2] ?? '')];
  if (match === null || script === undefined) return undefined;
  const language = tagOfCommonName(match[1]!) ?? tagOfRareName(match[1]!);
  return language === undefined ? undefined : `${language}-${script}`;
}

function tagOfRareName(name: string): LanguageTag | undefined {
  rare ??= namesOf(TRIPLES());
  return rare.get(spelling(name));
}
