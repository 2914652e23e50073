import type { z } from 'zod';
import { readRows, TABLE_EXTENSIONS } from '../files/read-rows.js';
import type { SourceFile } from '../files/source-files.js';
import type { ReportProblem } from '../problems.js';
import type { Prompt } from '../types.js';
import { filesWithFields, languageOf, type ProbeFormat, parseRow, reportRow } from './format.js';

/** A format with one prompt a row and one language a file, or a language code in each row. */
export interface TableFormat<T> extends Omit<ProbeFormat, 'recognise' | 'extensions' | 'read'> {
  /** Fields that the first record of a file has, and no other format's has all of them. */
  readonly fields: readonly string[];
  readonly schema: z.ZodType<T>;
  /** The row's own language code; the file's name says it where this is absent or gives none. */
  language?(row: T): string | undefined;
  /** The prompt of a row, or what is wrong with it. */
  prompt(row: T, number: number): { id: string; prompt: Prompt; meta?: Record<string, unknown> } | string;
}

export function tableFormat<T>(format: TableFormat<T>): ProbeFormat {
  const { fields, schema, language: codeOf, prompt, ...about } = format;
  const expected = `a record with ${fields.join(', ')}`;
  return {
    ...about,
    extensions: TABLE_EXTENSIONS,
    recognise: (files, sample) => filesWithFields(files, sample, fields),
    async *read(files: readonly SourceFile[], report: ReportProblem) {
      for (const file of files) {
        for (const row of await readRows(file, report)) {
          const record = parseRow(row, schema, expected, report);
          if (record === undefined) continue;
          const language = languageOf(file, row.where, codeOf?.(record), report);
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
