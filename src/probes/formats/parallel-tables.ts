import { z } from 'zod';
import { isBlankRow, readRows, type SourceRow, TABLE_EXTENSIONS } from '../files/read-rows.js';
import type { SourceFile } from '../files/source-files.js';
import { columnLanguages } from '../languages/column-languages.js';
import { nameLanguages } from '../languages/file-languages.js';
import { idSchema } from '../own/read-item.js';
import type { ReportProblem } from '../problems.js';
import {
  filesWithFields,
  languageOf,
  type ProbeFormat,
  parseRow,
  type SampleFile,
  type SourcePrompt,
  withExtension,
} from './format.js';

/** Names that columns of ids, languages and texts go by, in any case. */
const ID_COLUMNS = [
  'id',
  'idx',
  'index',
  'sentence_id',
  'item',
  'item_id',
  'key',
  'uid',
  'uuid',
  'sample_id',
];
const LANGUAGE_COLUMNS = ['lang', 'language', 'lang_code', 'language_code', 'lang_id', 'locale', 'iso'];
const TEXT_COLUMNS = ['text', 'sentence', 'prompt', 'question', 'content', 'translation'];

const columnOf = (fields: readonly string[], names: readonly string[]) =>
  fields.find((field) => names.includes(field.trim().toLowerCase()));

const TABLES = {
  own: true,
  licence: 'not stated',
  possible: withExtension(TABLE_EXTENSIONS),
} as const;

/** The id of a row: its own, or its number, in one of several files with the file's name. */
function idOf(
  row: SourceRow,
  field: string | undefined,
  file: SourceFile,
  files: number,
  report: ReportProblem,
) {
  if (field === undefined) return files === 1 ? `${row.number}` : `${file.name}:${row.number}`;
  const id = (row.value as Record<string, unknown>)[field];
  return parseRow({ ...row, value: id }, idSchema, `an id in the column ${field}`, report);
}

async function filesWhere(
  files: readonly SourceFile[],
  sample: SampleFile,
  is: (first: SourceRow, file: SourceFile) => boolean,
): Promise<SourceFile[]> {
  const found: SourceFile[] = [];
  for (const file of files) {
    const first = await sample(file);
    if (first !== undefined && is(first, file)) found.push(file);
  }
  return found;
}

/** A table with a column a language: id, en, de; or sentence_eng_Latn, sentence_deu_Latn, as FLORES-200 of the hub. */
export const wideTable: ProbeFormat = {
  ...TABLES,
  name: 'wide-table',
  title: 'a table with a column a language',
  files:
    'CSV, TSV, JSONL, JSON, parquet or Arrow with columns named after languages: id, en, de; or sentence_eng_Latn',
  source: 'a wide table',
  recognise: (files, sample) => filesWhere(files, sample, (first) => columnLanguages([first]).length > 1),
  async *read(files, report) {
    for (const file of files) {
      const rows = await readRows(file, report);
      const columns = columnLanguages(rows);
      if (columns.length === 0) {
        report({
          what: 'no column is named after a language',
          where: file.path,
          expected: 'columns such as en and de, eng_Latn, German or sentence_deu_Latn',
          found: (rows[0]?.fields ?? []).join(', ') || 'no columns',
          remedy: 'rename the columns, or name another format with --format',
        });
        continue;
      }
      const taken = new Set(columns.map(({ field }) => field));
      const idField = columnOf(
        (rows[0]?.fields ?? []).filter((field) => !taken.has(field)),
        ID_COLUMNS,
      );
      for (const row of rows) {
        const present = columns.map(({ field }) => field);
        if (isBlankRow(row.value, present)) continue;
        const id = idOf(row, idField, file, files.length, report);
        if (id === undefined) continue;
        for (const { field, code } of columns) {
          if (isBlankRow(row.value, [field])) continue;
          yield* textOf((row.value as Record<string, unknown>)[field], { id, code, row, file }, report);
        }
      }
    }
  },
};

/** A table with a row an item and language: id, lang, text; or one such table a language, named after it. */
export const longTable: ProbeFormat = {
  ...TABLES,
  name: 'long-table',
  title: 'a table with a row for each item and language',
  files:
    'CSV, TSV, JSONL, JSON, parquet or Arrow with columns id, lang (or language) and text (or sentence); or id and text in a file named after its language',
  source: 'a long table',
  async recognise(files, sample) {
    const named = nameLanguages(files.map(({ name }) => name));
    return await filesWhere(files, sample, ({ fields, value }, file) => {
      const [id, language, text] = [ID_COLUMNS, LANGUAGE_COLUMNS, TEXT_COLUMNS].map((names) =>
        columnOf(fields, names),
      );
      const hasLanguage = language !== undefined || named.has(file.name);
      return (
        id !== undefined &&
        text !== undefined &&
        hasLanguage &&
        typeof (value as Record<string, unknown>)[text] === 'string'
      );
    });
  },
  async *read(files, report) {
    for (const file of files) {
      for (const row of await readRows(file, report)) {
        const [idField, languageField, textField, answerField] = [
          ID_COLUMNS,
          LANGUAGE_COLUMNS,
          TEXT_COLUMNS,
          ['answer'],
        ].map((names) => columnOf(row.fields, names));
        if (isBlankRow(row.value, textField === undefined ? row.fields : [textField])) continue;
        const schema = z.object({
          [idField ?? 'id']: idSchema,
          [textField ?? 'text']: z.string(),
          ...(languageField !== undefined && { [languageField]: z.string() }),
          ...(answerField !== undefined && {
            [answerField]: z.union([z.string(), z.number().transform(String)]).optional(),
          }),
        });
        const expected = 'a record with id, text and its language, in a column lang or the name of the file';
        const record = parseRow(row, schema, expected, report) as Record<string, string> | undefined;
        if (record === undefined) continue;
        const code = languageField === undefined ? undefined : record[languageField];
        const language = languageOf(file, row.where, code, report);
        if (language === undefined) continue;
        const answer = answerField === undefined ? '' : (record[answerField] ?? '');
        yield {
          id: record[idField ?? 'id']!,
          language,
          where: row.where,
          prompt: { text: record[textField ?? 'text']!, ...(answer.trim() !== '' && { answer }) },
        };
      }
    }
  },
};

/** A row an item, with its languages in one object: `{"translation": {"en": …, "de": …}}`, as WMT and OPUS of the hub. */
export const translationRows: ProbeFormat = {
  ...TABLES,
  name: 'translation-rows',
  title: 'rows with all languages in one object, as WMT and OPUS have them on the hub',
  files: 'JSONL, JSON, parquet or Arrow with the field translation: {"translation": {"en": …, "de": …}}',
  source: 'translation rows',
  async recognise(files, sample) {
    const able = await filesWithFields(files, sample, ['translation']);
    return await filesWhere(able, sample, ({ value }) => {
      const { translation } = value as { translation?: unknown };
      return typeof translation === 'object' && translation !== null && !Array.isArray(translation);
    });
  },
  async *read(files, report) {
    const schema = z.object({ translation: z.record(z.string(), z.unknown()) });
    for (const file of files) {
      for (const row of await readRows(file, report)) {
        if (isBlankRow(row.value, ['translation'])) continue;
        const record = parseRow(row, schema, 'a record with translation: {language: text}', report);
        const idField = columnOf(row.fields, ID_COLUMNS);
        const id = record === undefined ? undefined : idOf(row, idField, file, files.length, report);
        if (record === undefined || id === undefined) continue;
        for (const [code, text] of Object.entries(record.translation)) {
          if (isBlankRow({ text }, ['text'])) continue;
          yield* textOf(text, { id, code, row, file }, report);
        }
      }
    }
  },
};

function* textOf(
  value: unknown,
  {
    id,
    code,
    row,
    file,
  }: { readonly id: string; readonly code: string; readonly row: SourceRow; readonly file: SourceFile },
  report: ReportProblem,
): Generator<SourcePrompt> {
  const language = languageOf(file, row.where, code, report);
  if (language === undefined) return;
  const text = parseRow(
    { ...row, value: { [code]: value } },
    z.object({ [code]: z.string() }),
    `text of ${code}`,
    report,
  )?.[code];
  if (text !== undefined) yield { id, language, where: row.where, prompt: { text } };
}
