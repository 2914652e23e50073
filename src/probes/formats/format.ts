import { z } from 'zod';
import { isBlankRow, readRows, type SourceRow, TABLE_EXTENSIONS } from '../files/read-rows.js';
import type { SourceFile } from '../files/source-files.js';
import { BY_NAME } from '../language-files.js';
import { languageOfCode } from '../languages/language-code.js';
import { attempt, firstIssue, type ReportProblem } from '../problems.js';
import type { ItemClusters, LanguageTag, Prompt } from '../types.js';

/** One prompt as a published file holds it. */
export interface SourcePrompt {
  /** The same in all languages of an item. */
  readonly id: string;
  readonly language: LanguageTag;
  /** File and row, for errors. */
  readonly where: string;
  readonly prompt: Prompt;
  readonly meta?: Readonly<Record<string, unknown>>;
  readonly clusters?: ItemClusters;
}

/** How the files of a published probe set are read. */
export interface ProbeFormat {
  /** The name that `--format` takes; a set published in two shapes has one name. */
  readonly name: string;
  /** One line that says what the set is. */
  readonly title: string;
  /** The files it is recognised by. */
  readonly files: string;
  /** False where items are not the same in all languages. Default true. */
  readonly parallel?: false;
  /** True where the files are the user's own, not those of one published set: their name is then part of the set's. */
  readonly own?: true;
  /** True where items are matched across languages by the number of their row alone. */
  readonly byNumber?: true;
  readonly licence: string;
  readonly source: string;
  /** The files of a listing that are of this format; none where it is another's. `sample` reads a file's first record. */
  recognise(files: readonly SourceFile[], sample: SampleFile): Promise<readonly SourceFile[]>;
  /** All files that may be of this format, where the user says that they are. */
  possible(files: readonly SourceFile[]): readonly SourceFile[];
  read(files: readonly SourceFile[], report: ReportProblem): AsyncGenerator<SourcePrompt>;
}

/** Chooses the files that have one of some extensions. */
export function withExtension(extensions: ReadonlySet<string>): ProbeFormat['possible'] {
  return (files) => files.filter(({ extension }) => extensions.has(extension));
}

/** The first record of a table file that is not blank, or undefined where it has none or is none. */
export type SampleFile = (file: SourceFile) => Promise<SourceRow | undefined>;

/** The files whose first record has all of `fields`. */
export async function filesWithFields(
  files: readonly SourceFile[],
  sample: SampleFile,
  fields: readonly string[],
): Promise<SourceFile[]> {
  const found: SourceFile[] = [];
  for (const file of files) {
    const first = await sample(file);
    if (first !== undefined && fields.every((field) => first.fields.includes(field))) found.push(file);
  }
  return found;
}

/** A row as `schema` has it; anything else goes to `report`. */
export function parseRow<T>(
  row: SourceRow,
  schema: z.ZodType<T>,
  expected: string,
  report: ReportProblem,
): T | undefined {
  const parsed = schema.safeParse(row.value);
  if (parsed.success) return parsed.data;
  reportRow(row.where, firstIssue(parsed.error), expected, report);
  return undefined;
}

/** Tells that a row is not of the format. */
export function reportRow(where: string, found: string, expected: string, report: ReportProblem): void {
  report({
    what: 'not a row of this format',
    where,
    expected,
    found,
    remedy: 'mend the row, or name another format with --format',
  });
}

/** The language that a row's own code names, or its file's name; a report where neither does. */
export function languageOf(
  file: SourceFile,
  where: string,
  code: string | undefined,
  report: ReportProblem,
): LanguageTag | undefined {
  if (code !== undefined) {
    const language = file.seen?.get(code) ?? attempt(() => languageOfCode(code, where), report);
    if (language !== undefined) file.seen?.set(code, language);
    return language;
  }
  const language = file.named?.language;
  if (language !== undefined) file.seen?.set(BY_NAME, language);
  if (language === undefined) {
    report({
      what: 'neither the file nor its folder is named after a language',
      where: file.path,
      expected:
        'a language code in the name, for example en.jsonl, mgsm_en.tsv, eng_Latn.jsonl or en/test.parquet',
      found: file.name,
      remedy: 'rename the file, or give only the files of languages',
    });
  }
  return language;
}

/** Tells that a file has another number of rows or lines than the first, so that it cannot be aligned with it. */
export function reportLength(where: string, found: string, expected: string, report: ReportProblem): void {
  report({
    what: 'files whose rows are matched by number differ in how many they have',
    where,
    expected,
    found,
    remedy: 'align them anew; a language that lacks an item keeps a blank row',
  });
}

/** A whole number, as number or text. */
export const wholeSchema = z.union([z.number().int(), z.string().regex(/^\d+$/)]).transform(Number);

/** Stands in a cloze text for the missing word. */
export const BLANK = '___';

/** A format with one prompt a row and one language a file, or a language code in each row. */
export interface TableFormat<T> extends Omit<ProbeFormat, 'recognise' | 'possible' | 'read'> {
  /** Fields that the first record of a file has, and no other format's has all of them. */
  readonly fields: readonly string[];
  readonly schema: z.ZodType<T>;
  /** True where nothing but the number of a row says which item it is of: all files must have as many. */
  readonly sameRows?: true;
  /** The row's own language code; the file's name says it where this is absent or gives none. */
  language?(row: T): string | undefined;
  /** The prompt of a row, or what is wrong with it. */
  prompt(row: T, number: number): Pick<SourcePrompt, 'id' | 'prompt' | 'meta' | 'clusters'> | string;
}

export function tableFormat<T>(format: TableFormat<T>): ProbeFormat {
  const { fields, schema, language: codeOf, prompt, sameRows = false, ...about } = format;
  const expected = `a record with ${fields.join(', ')}`;
  return {
    ...about,
    possible: withExtension(TABLE_EXTENSIONS),
    recognise: (files, sample) => filesWithFields(files, sample, fields),
    async *read(files: readonly SourceFile[], report: ReportProblem) {
      let first: { path: string; rows: number } | undefined;
      for (const file of files) {
        const rows = await readRows(file, report);
        first ??= { path: file.path, rows: rows.length };
        if (sameRows && rows.length !== first.rows) {
          reportLength(file.path, `${rows.length} rows`, `${first.rows} rows, as in ${first.path}`, report);
          continue;
        }
        for (const row of rows) {
          // A language that lacks an item keeps its row, blank.
          if (isBlankRow(row.value, fields)) continue;
          const record = parseRow(row, schema, expected, report);
          if (record === undefined) continue;
          const language = languageOf(file, row.where, codeOf?.(record)?.trim() || undefined, report);
          if (language === undefined) break;
          const made = prompt(record, row.number);
          if (typeof made === 'string') reportRow(row.where, made, expected, report);
          else yield { ...made, language, where: row.where };
        }
      }
    },
  };
}

/** Candidates with one name are one, and without the answer they are none: published lists have both. */
export function withCandidates(prompt: Prompt, candidates: readonly string[]): Prompt {
  const distinct = [...new Set(candidates.filter((candidate) => candidate.trim() !== ''))];
  if (distinct.length < 2 || !distinct.includes(prompt.answer ?? '')) return prompt;
  return { ...prompt, candidates: distinct };
}

/**
 * Options in one order in all languages, which their ids say. Where two have one name, they are no candidates that could
 * be told apart, and the prompt keeps its answer alone.
 */
export function withOptions(
  prompt: Omit<Prompt, 'answer'>,
  options: readonly string[],
  ids: readonly string[],
  answer: number,
): Prompt {
  const answered = { ...prompt, answer: options[answer]! };
  if (new Set(options).size < options.length) return answered;
  return { ...answered, candidates: options, candidateIds: ids };
}
