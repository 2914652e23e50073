import type { z } from 'zod';
import type { SourceRow } from '../files/read-rows.js';
import type { SourceFile } from '../files/source-files.js';
import { languageOfCode, languageOfPath } from '../languages/language-code.js';
import { firstIssue } from '../own/schema.js';
import { attempt, type ReportProblem } from '../problems.js';
import type { LanguageTag, Prompt } from '../types.js';

/** One prompt as a published file holds it. */
export interface SourcePrompt {
  /** The same in all languages of an item. */
  readonly id: string;
  readonly language: LanguageTag;
  /** File and row, for errors. */
  readonly where: string;
  readonly prompt: Prompt;
  readonly meta?: Readonly<Record<string, unknown>>;
}

/** How the files of a published probe set are read. */
export interface ProbeFormat {
  /** What `--format` says; a set published in two shapes has one name. */
  readonly name: string;
  /** What the set is. */
  readonly title: string;
  /** The files it is recognised by. */
  readonly files: string;
  /** False where items are not the same in all languages. Default true. */
  readonly parallel?: false;
  /** True where the files are the user's own, not those of one published set: their name is then part of the set's. */
  readonly own?: true;
  readonly licence: string;
  readonly source: string;
  /** The files of a listing that are of this format; none where it is another's. `sample` reads a file's first record. */
  recognise(files: readonly SourceFile[], sample: SampleFile): Promise<readonly SourceFile[]>;
  /** All files that may be of this format, where the user says that they are. */
  readonly extensions: ReadonlySet<string>;
  read(files: readonly SourceFile[], report: ReportProblem): AsyncGenerator<SourcePrompt>;
}

/** The first record of a table file, or undefined where it has none or is none. */
export type SampleFile = (file: SourceFile) => Promise<SourceRow | undefined>;

/** The files whose first record has all of `fields`. */
export async function filesWithFields(
  files: readonly SourceFile[],
  sample: SampleFile,
  fields: readonly string[],
): Promise<SourceFile[]> {
  const found: SourceFile[] = [];
  for (const file of files) {
    const value = (await sample(file))?.value;
    if (typeof value === 'object' && value !== null && fields.every((field) => field in value)) {
      found.push(file);
    }
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
  if (code !== undefined) return attempt(() => languageOfCode(code, where), report);
  const language = languageOfPath(file.name);
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

/** What stands in a cloze text for the missing word. */
export const BLANK = '___';
