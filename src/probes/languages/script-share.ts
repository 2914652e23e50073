/** Letters of a text by their script, beside the script its language is expected in. */
export interface ScriptShare {
  readonly letters: number;
  /** Letters of the expected script. */
  readonly own: number;
  /** Letters of the Latin script, where that is not the expected one. */
  readonly latin: number;
  /** The other letters. */
  readonly foreign: number;
}

/** ISO 15924 codes that stand for a mixture of scripts or a variant of one, as Unicode script values. */
const COMPOSITES: Readonly<Record<string, readonly string[]>> = {
  Aran: ['Arab'],
  Cyrs: ['Cyrl'],
  Hanb: ['Hani', 'Bopo'],
  Hans: ['Hani'],
  Hant: ['Hani'],
  Hrkt: ['Hira', 'Kana'],
  Jamo: ['Hang'],
  Jpan: ['Hani', 'Hira', 'Kana'],
  Kore: ['Hang', 'Hani'],
  Latf: ['Latn'],
  Latg: ['Latn'],
};

/**
 * Technical prose in any language is full of Latin identifiers, so a text counts as written in its own script from
 * this share of its letters on. Of the 11,622 messages of the Python documentation that have a translation, it leaves
 * 9 out in Japanese, 8 in Korean, 4 in Ukrainian and 22 in Chinese; they are almost nothing but code.
 */
const LEAST_OWN_SHARE = 0.05;

/**
 * Counts the letters of `text` by script. A letter that several scripts share (Unicode's Script_Extensions) is `own`
 * when the expected script is among them. Simplified and Traditional Chinese are one script to Unicode, as are Chinese
 * and the kanji of Japanese: a text in `Hant` where `Hans` is expected, or Chinese where Japanese is, is not noticed.
 *
 * @param script ISO 15924 code; check it with `isScript` first
 */
export function measureScript(text: string, script: string): ScriptShare {
  const ownLetter = lettersOf(script);
  let letters = 0;
  let own = 0;
  let latin = 0;
  for (const [character] of text.matchAll(LETTER)) {
    letters += 1;
    if (ownLetter.test(character)) own += 1;
    else if (LATIN_LETTER.test(character)) latin += 1;
  }
  return { letters, own, latin, foreign: letters - own - latin };
}

/**
 * Whether `text` is written in `script`: its own letters are at least a twentieth of all, and no fewer than those of
 * foreign scripts other than Latin. A text without letters is in every script.
 */
export function isInScript(text: string, script: string): boolean {
  const { letters, own, foreign } = measureScript(text, script);
  return own >= LEAST_OWN_SHARE * letters && own >= foreign;
}

/** Scripts that languages with two are written in, beside the usual one. */
const SCRIPTS = [
  'Latn',
  'Cyrl',
  'Arab',
  'Deva',
  'Guru',
  'Beng',
  'Hebr',
  'Grek',
  'Hani',
  'Hang',
  'Mong',
  'Tfng',
  'Thai',
  'Telu',
  'Taml',
  'Olck',
];

/** The script that most of the letters of some texts are of; undefined where it is none of the common ones. */
export function commonestScript(texts: readonly string[]): string | undefined {
  const sample = texts.slice(0, 100).join(' ').slice(0, 10_000);
  const counts = SCRIPTS.map((script) => ({ script, ...measureScript(sample, script) }));
  const most = counts.reduce((a, b) => (b.own > a.own ? b : a));
  if (most.own * 2 <= most.letters) return undefined;
  return most.script === 'Hani' ? 'Hans' : most.script;
}

/** Whether `script` is an ISO 15924 code this runtime's Unicode knows. */
export function isScript(script: string): boolean {
  if (!/^[A-Z][a-z]{3}$/.test(script)) return false;
  try {
    lettersOf(script);
    return true;
  } catch {
    return false;
  }
}

const LETTER = /\p{L}/gu;
const LATIN_LETTER = /\p{Script_Extensions=Latn}/u;
const letterPatterns = new Map<string, RegExp>();

function lettersOf(script: string): RegExp {
  let pattern = letterPatterns.get(script);
  if (pattern === undefined) {
    const classes = (COMPOSITES[script] ?? [script]).map((code) => `\\p{Script_Extensions=${code}}`);
    pattern = new RegExp(`[${classes.join('')}]`, 'u');
    letterPatterns.set(script, pattern);
  }
  return pattern;
}
