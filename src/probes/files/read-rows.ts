import { CsvError, parse } from 'csv-parse/sync';
import { parquetRead, parquetReadObjects } from 'hyparquet';
import { messageOf } from '../../errors.js';
import { openParquet } from '../../read-parquet.js';
import type { ReportProblem } from '../problems.js';
import { decodeUtf8, MOST_RECORD_BYTES, parseJson, readJsonLines } from './read-json-lines.js';
import { readBytes, type SourceFile } from './source-files.js';

/** A record of a table, whatever the file it is in. */
export interface SourceRow {
  /** `file:line`, or `file: row n` where rows are no lines. */
  readonly where: string;
  /** Counted from 1, the header not among them. */
  readonly number: number;
  readonly value: unknown;
}

/** Extensions of files that hold one record a row. */
export const TABLE_EXTENSIONS: ReadonlySet<string> = new Set([
  'json',
  'jsonl',
  'ndjson',
  'csv',
  'tsv',
  'parquet',
]);

/**
 * The records of a JSON array, JSON lines, CSV or TSV (the first row names the columns) or parquet file. What cannot be
 * read goes to `report`.
 */
export async function readRows(file: SourceFile, report: ReportProblem): Promise<SourceRow[]> {
  const { path, extension } = file;
  if (extension === 'parquet') return readParquet(path, report);
  const bytes = await readBytes(file.path, report);
  if (bytes === undefined) return [];
  if (extension === 'csv' || extension === 'tsv') {
    const records = readDelimited(bytes, path, extension, report);
    const [names, ...rest] = records;
    return rest.map(({ line, fields }, i) => ({
      where: `${path}:${line}`,
      number: i + 1,
      value: Object.fromEntries(fields.map((field, c) => [names!.fields[c] ?? `column ${c + 1}`, field])),
    }));
  }
  if (extension === 'json') {
    const text = decodeUtf8(bytes, path, report);
    const json = text === undefined ? undefined : parseJson(text, path, report);
    if (json === undefined) return [];
    const values = Array.isArray(json.value) ? json.value : [json.value];
    return values.map((value, i) => ({ where: `${path}: record ${i + 1}`, number: i + 1, value }));
  }
  return [...readJsonLines(bytes, path, report)].map(({ line, value }, i) => ({
    where: `${path}:${line}`,
    number: i + 1,
    value,
  }));
}

export interface DelimitedRecord {
  /** Counted from 1: the last line of the record. */
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * The records of a CSV or TSV file, header and all. All must have as many fields as the first; a quote inside a field is
 * a character like any other. With `quotes` false, one at its start is too.
 */
export function readDelimited(
  bytes: Uint8Array,
  path: string,
  extension: 'csv' | 'tsv',
  report: ReportProblem,
  quotes = true,
): DelimitedRecord[] {
  const text = decodeUtf8(bytes, path, report);
  if (text === undefined) return [];
  try {
    const records: unknown = parse(text, {
      delimiter: extension === 'tsv' ? '\t' : ',',
      quote: quotes ? '"' : null,
      relax_quotes: true,
      skip_empty_lines: true,
      info: true,
      max_record_size: MOST_RECORD_BYTES,
    });
    return (records as { info: { lines: number }; record: string[] }[]).map(({ info, record }) => ({
      line: info.lines,
      fields: record,
    }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    report({
      what: `malformed ${extension.toUpperCase()}`,
      where: path,
      expected: 'as many fields in every row as in the first',
      found: error.message,
      remedy: 'mend this row, or download the file again',
    });
    return [];
  }
}

async function readParquet(path: string, report: ReportProblem): Promise<SourceRow[]> {
  try {
    const rows = await readObjects(path);
    return rows.map((row, i) => ({ where: `${path}: row ${i + 1}`, number: i + 1, value: withNumbers(row) }));
  } catch (error) {
    report({
      what: 'the parquet file cannot be read',
      where: path,
      expected: 'parquet, uncompressed or with snappy as the hub writes it',
      found: messageOf(error),
      remedy: 'download the file again, or write it anew with pandas: to_parquet(…, compression="snappy")',
    });
    return [];
  }
}

/** A set that is published has some thousand rows a language; each becomes an object. */
const MOST_PARQUET_ROWS = 4_000_000;

async function readObjects(path: string): Promise<Record<string, unknown>[]> {
  const { file, footer, check, close } = await openParquet(path);
  try {
    const rows = footer.row_groups.reduce((sum, group) => sum + Number(group.num_rows), 0);
    if (!(rows <= MOST_PARQUET_ROWS)) throw new Error(`${rows} rows, more than ${MOST_PARQUET_ROWS}`);
    for (const group of footer.row_groups) await check(group);
    // Without a receiver of rows it waits for every column, however many of them fail.
    await parquetRead({ file, metadata: footer });
    return await parquetReadObjects({ file, metadata: footer });
  } finally {
    await close();
  }
}

/** 64-bit integers as numbers, and nulls left out, as JSON files have them. */
function withNumbers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(withNumbers);
  if (typeof value !== 'object' || value === null || value instanceof Date || ArrayBuffer.isView(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, entry]) => (entry == null ? [] : [[key, withNumbers(entry)]])),
  );
}
