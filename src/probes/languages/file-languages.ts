import type { LanguageTag } from '../types.js';
import { knownCode } from './language-code.js';
import { tagOfCommonName } from './language-name.js';

/** The language that the name of a file, or of a folder it lies in, says. */
export interface FileLanguage {
  readonly language: LanguageTag;
  /** As it is written there: `deu_Latn`. */
  readonly written: string;
  readonly place: 'file name' | 'folder';
}

/** A part of a path that can be read as a language. */
interface Reading {
  readonly language: LanguageTag;
  readonly written: string;
  /** 3: with a script or region; 2: two small letters, or an English name; 1: any other code, such as `tok` or `AA`. */
  readonly strength: 1 | 2 | 3;
  /** 2: the whole name of the file or folder; 1: what stands after its last dot; 0: some other part. */
  readonly standing: 0 | 1 | 2;
}

/** Words of file names that are codes of small languages too; no published set holds those. */
const NO_CODES: ReadonlySet<string> = new Set(
  'all dev doc ids new old out raw ref set src sub tmp val'.split(' '),
);
/** Extensions a data file may have, the last ones first. */
const EXTENSIONS =
  /\.(?:gz|jsonl?|ndjson|tsv|csv|txt|text|parquet|arrow|dev|devtest|test|train|valid|tok|bpe|clean)$/i;
/** `wmt-en-de` has two codes; a code may have a script, a region and a variety: `eng_Latn`, `pt-BR`, `oci_Latn_aran1260`. */
const SUBTAGS = [
  /^[A-Za-z]{2,3}$/,
  /^(?:[A-Za-z]{4}|[A-Za-z]{2}|\d{3})$/,
  /^(?:[A-Za-z]{2}|\d{3}|[a-z]{4}\d{4})$/,
];

/**
 * The language of each file, decided for all of them together, because names hold words that are codes too. A level of the
 * paths, the file's own name or a folder's, is chosen for all files that it says a language of: one that says it of
 * most files; then one whose codes are unmistakable and differ; then the outermost. Files that it says nothing of go by another level.
 *
 * @param names relative paths with forward slashes
 * @returns by name; files that name no language are absent
 */
export function nameLanguages(names: readonly string[]): Map<string, FileLanguage> {
  const levels = new Map<number, Map<string, readonly Reading[]>>();
  for (const name of names) {
    for (const [level, part] of levelsOf(name)) {
      const readings = readingsOf(part);
      if (readings.length === 0) continue;
      const byName = levels.get(level) ?? new Map();
      levels.set(level, byName.set(name, readings));
    }
  }
  const chosen = [...levels].map(([level, byName]) => rankLevel(level, byName)).sort(betterLevel);
  const found = new Map<string, FileLanguage>();
  for (const { level, best } of chosen) {
    for (const [name, { language, written }] of best) {
      if (found.has(name)) continue;
      found.set(name, { language, written, place: level === FILE_NAME ? 'file name' : 'folder' });
    }
  }
  return found;
}

/** The language that one path names by itself. */
export function languageOfPath(path: string): LanguageTag | undefined {
  return nameLanguages([path]).get(path)?.language;
}

/** Folders are levels 0, 1, … from the outside; a file's own name is the innermost. */
const FILE_NAME = Number.MAX_SAFE_INTEGER;

function levelsOf(path: string): [level: number, part: string][] {
  const parts = path.split('/');
  const levels = parts.slice(0, -1).map((part, level): [number, string] => [level, part]);
  return [...levels, [FILE_NAME, stemOf(parts.at(-1)!)]];
}

/** A file's name without the extensions of data files. */
export function stemOf(name: string): string {
  let stem = name;
  while (EXTENSIONS.test(stem)) stem = stem.replace(EXTENSIONS, '');
  return stem;
}

interface RankedLevel {
  readonly level: number;
  readonly best: ReadonlyMap<string, Reading>;
  readonly isVaried: boolean;
  readonly strength: number;
  readonly standing: number;
}

function rankLevel(level: number, byName: ReadonlyMap<string, readonly Reading[]>): RankedLevel {
  const all = [...byName.values()];
  const everywhere = new Set(
    all[0]!
      .map(({ language }) => language)
      .filter((language) => all.every((readings) => readings.some((one) => one.language === language))),
  );
  const best = new Map<string, Reading>();
  for (const [name, readings] of byName) {
    // What all names have distinguishes none of them: `tok` in data_en_tok and data_de_tok.
    const telling = byName.size > 1 ? readings.filter(({ language }) => !everywhere.has(language)) : [];
    best.set(name, (telling.length > 0 ? telling : readings).reduce(stronger));
  }
  const chosen = [...best.values()];
  return {
    level,
    best,
    isVaried: new Set(chosen.map(({ language }) => language)).size > 1,
    strength: Math.min(...chosen.map(({ strength }) => strength)),
    standing: Math.min(...chosen.map(({ standing }) => standing)),
  };
}

/** The stronger of two; the later of two that are alike, because names end in their language. */
function stronger(a: Reading, b: Reading): Reading {
  return (a.strength - b.strength || a.standing - b.standing) > 0 ? a : b;
}

function betterLevel(a: RankedLevel, b: RankedLevel): number {
  const kind = ({ strength, isVaried }: RankedLevel) => Number(strength > 1) + Number(isVaried);
  return (
    b.best.size - a.best.size ||
    kind(b) - kind(a) ||
    (kind(a) === 2 ? b.strength - a.strength : 0) ||
    a.level - b.level
  );
}

const known = new Map<string, readonly Reading[]>();

function readingsOf(part: string): readonly Reading[] {
  let readings = known.get(part);
  if (readings === undefined) {
    readings = findReadings(part);
    known.set(part, readings);
  }
  return readings;
}

function findReadings(part: string): Reading[] {
  const whole = readCode(part, 2);
  if (whole !== undefined) return [whole];
  const named = tagOfCommonName(part);
  if (named !== undefined && part.length > 3)
    return [{ language: knownCode(named)!, written: part, strength: 2, standing: 2 }];
  const pieces = part.split('.');
  return pieces.flatMap((piece, i) => {
    if (isPair(piece)) return [];
    const code = readCode(piece, i > 0 && i === pieces.length - 1 ? 1 : 0);
    return code === undefined ? codesWithin(piece) : [code];
  });
}

/** The code that follows the last dot of a file's name, `de` of corpus.de-en.de; undefined where none does. */
export function codeAtEnd(name: string): string | undefined {
  const dot = name.lastIndexOf('.');
  const last = name.slice(dot + 1);
  const reading = dot <= name.lastIndexOf('/') + 1 || EXTENSIONS.test(name) ? undefined : readCode(last, 1);
  return reading !== undefined && (reading.strength > 1 || last.length === 3) ? last : undefined;
}

/** Codes between the hyphens and underscores of a name, the longest that can be read first. */
function codesWithin(piece: string): Reading[] {
  const words = piece.split(/([_-])/); // words and what joins them in turn
  const readings: Reading[] = [];
  for (let at = 0; at < words.length; ) {
    const length = [5, 3, 1].find(
      (taken) =>
        at + taken <= words.length && readCode(words.slice(at, at + taken).join(''), 0) !== undefined,
    );
    if (length !== undefined) readings.push(readCode(words.slice(at, at + length).join(''), 0)!);
    at += (length ?? 1) + 1;
  }
  return readings;
}

/** `de-en`: two languages, of which the names of files in it or parts behind it say one. */
export function isPair(piece: string): boolean {
  const [first, second, ...more] = piece.split('-');
  if (first === undefined || second === undefined || more.length > 0) return false;
  const bothCodes = readCode(first, 0) !== undefined && readCode(second, 0) !== undefined;
  const letters = (code: string) => code.split('_')[0]!.length;
  return letters(first) === letters(second) && bothCodes && !isLocale(first, second);
}

/** Whether a region in any case follows the language that is spoken there: `pt-br`, and not `en-de`. */
function isLocale(language: string, region: string): boolean {
  const tag = knownCode(`${language}-${region}`);
  if (tag === undefined || !/^[A-Za-z]{2}$/.test(region)) return false;
  if (region === region.toUpperCase() && language !== language.toUpperCase()) return true;
  const spoken = new Intl.Locale(`und-${region}`).maximize().language;
  return new Intl.Locale(language).language === spoken;
}

function readCode(text: string, standing: Reading['standing']): Reading | undefined {
  const subtags = text.split(/[_-]/);
  if (subtags.length > SUBTAGS.length || subtags.some((subtag, i) => !SUBTAGS[i]!.test(subtag)))
    return undefined;
  const [language, second] = subtags as [string, string | undefined];
  if (NO_CODES.has(text)) return undefined;
  if (second !== undefined && second.length === 2) {
    const isWhole = standing === 2 && text.includes('_');
    if (!isWhole && !isLocale(language, second)) return undefined;
  }
  const tag = knownCode(text);
  if (tag === undefined) return undefined;
  const plain = language === language.toLowerCase() && language.length === 2 ? 2 : 1;
  return { language: tag, written: text, strength: second === undefined ? plain : 3, standing };
}
