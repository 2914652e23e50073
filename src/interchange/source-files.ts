import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import { ImportError, messageOf, ProbeError, UsageError } from '../errors.js';
import { type LanguageTag, languageOfCode } from '../probes/index.js';
import { streamFile } from '../read-file.js';

export { MOST_LAYERS } from '../store/index.js';

/** Neurons of a layer: tables hold indices as int32. */
const MOST_UNITS = 2 ** 31;

/** Whether a value is the index of a unit within its layer. */
export function isUnitIndex(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < MOST_UNITS;
}

/** A language tag, or a code of FLORES-200, within a pattern of file names. */
export const TAG = '[A-Za-z]{2,3}(?:-[A-Za-z0-9]+)*(?:_(?:[A-Z][a-z]{3}|[A-Z]{2}))?';
/** `en.pt`, `eng_Latn.pt`: the whole name is a tag, or a code of FLORES-200. */
export const TAG_ALONE = new RegExp(`^(${TAG})\\.[A-Za-z]+$`);

/** A file to import: `path`, or `language=path` where neither its name nor its contents say which language it is of. */
export interface SourceFile {
  readonly path: string;
  /** As it was given; null: to be found in the name or in the file. */
  readonly language: string | null;
}

/** A source whose language and fold are known. */
export interface PlacedFile {
  readonly path: string;
  readonly language: LanguageTag;
  readonly fold: number;
}

/**
 * `zh=counts.pt`, `Chinese=counts.pt` → language and path. A path that holds `=` before its first separator needs `./` in
 * front, where what stands before it looks like a code or is the name of a language.
 */
export function parseSource(text: string): SourceFile {
  const match = /^([^=/\\.]+)=(.+)$/.exec(text);
  const said = match?.[1];
  const isLanguage = said !== undefined && (CODE.test(said) || isName(said));
  return isLanguage ? { path: match![2]!, language: said } : { path: text, language: null };
}

const CODE = /^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]+)*$/;

function isName(text: string): boolean {
  try {
    return languageOfCode(text, text) !== '';
  } catch {
    return false;
  }
}

/**
 * The tag of a language that a file names: BCP 47, a published set's own code, or its English name. Codes mean what they
 * mean among probe sets (`eng_Latn` is `en`, `zho_Hant` is `zh-Hant`, `zh-cn` is `zh`).
 *
 * @throws ImportError if nobody knows it.
 */
export function languageOf(language: string, path: string): LanguageTag {
  try {
    return languageOfCode(language, path);
  } catch (cause) {
    if (!(cause instanceof ProbeError)) throw cause;
    throw new ImportError(
      { ...cause.details, remedy: `name the language before the file: en=${path}` },
      { cause },
    );
  }
}

/** Languages named in order. @throws UsageError if one is named twice. */
export function canonicalLanguages(languages: readonly string[], where: string): LanguageTag[] {
  const tags = languages.map((language) => languageOf(language, where));
  const twice = tags.find((tag, k) => tags.indexOf(tag) !== k);
  if (twice === undefined) return tags;
  throw new UsageError({
    what: 'a language is named twice',
    where,
    found: twice,
    remedy: 'name every language once, in the order of the file',
  });
}

/** Languages of a file in the order in which their codes occur, each under one code. */
export class LanguageCodes {
  readonly tags: LanguageTag[] = [];
  readonly #codes = new Map<LanguageTag, string>();
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** The place of a language among the tags. @throws what `unusable` makes of a second code for it */
  index(code: string, unusable: (found: string) => ImportError): number {
    const tag = languageOf(code, this.#path);
    const first = this.#codes.get(tag);
    if (first === undefined) {
      this.#codes.set(tag, code);
      return this.tags.push(tag) - 1;
    }
    if (first !== code) throw unusable(`${first} and ${code}, which are one language`);
    return this.tags.indexOf(tag);
  }
}

/**
 * Languages and folds of files of which each holds one language: the first file of a language is fold 0, the next fold 1,
 * and every language must have as many.
 *
 * @param inName patterns, the first that fits a file's name gives its language: the first group.
 * @param example of such a name, for messages.
 */
export function placeFiles(
  sources: readonly SourceFile[],
  inName: readonly RegExp[],
  example: string,
): PlacedFile[] {
  const folds = new Map<LanguageTag, number>();
  const codes = new Map<LanguageTag, string>();
  const placed = sources.map(({ path, language }): PlacedFile => {
    const name = basename(path);
    const said =
      language ?? inName.map((pattern) => pattern.exec(name)?.[1]).find((tag) => tag !== undefined);
    if (said === undefined) {
      throw new UsageError({
        what: 'its name does not say which language the file is of',
        where: path,
        expected: `a name such as ${example}, or language=path`,
        remedy: `name the language before the file: en=${path}`,
      });
    }
    const tag = languageOf(said, path);
    const code = codes.get(tag) ?? said;
    codes.set(tag, code);
    if (code.toLowerCase() !== said.toLowerCase()) {
      throw new UsageError({
        what: 'two codes stand for one language',
        where: path,
        expected: `one code for ${tag}: files of one language are its folds`,
        found: `${code} and ${said}`,
        remedy: `if it is the same language, name it before each file: ${tag}=${path}`,
      });
    }
    const fold = folds.get(tag) ?? 0;
    folds.set(tag, fold + 1);
    return { path, language: tag, fold };
  });
  const [first] = [...folds.values()];
  const other = [...folds].find(([, count]) => count !== first);
  if (other !== undefined) {
    throw new UsageError({
      what: 'languages have different numbers of files: the first file of each makes the first fold, and so on',
      expected: `${first} of each language, as of ${[...folds.keys()][0]}`,
      found: `${other[1]} of ${other[0]}`,
      remedy: 'give as many files of every language, in the same order of folds',
    });
  }
  return placed;
}

/** Hex. @throws ImportError if the file cannot be read */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  try {
    for await (const chunk of streamFile(path)) hash.update(chunk);
  } catch (cause) {
    const remedy = 'check that the file is still there and that you may read it';
    throw new ImportError(
      { what: 'cannot be read', where: path, found: messageOf(cause), remedy },
      { cause },
    );
  }
  return hash.digest('hex');
}
