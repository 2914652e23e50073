import { CsvError, parse } from 'csv-parse/sync';
import { parquetRead, parquetReadObjects } from 'hyparquet';
import { messageOf } from '../../errors.js';
import { openParquet } from '../../read-parquet.js';
import { PARQUET_CODECS } from '../../read-parquet-codecs.js';
import type { ReportProblem } from '../problems.js';
import { readArrow } from './read-arrow.js';
import { decodeUtf8, MOST_RECORD_BYTES, parseJson, readJsonLines } from './read-json-lines.js';
import { readBytes, type SourceFile } from './source-files.js';

/** A record of a table, whatever the file it is in. */
export interface SourceRow {
  /** `file:line`, or `file: row n` where rows are no lines. */
  readonly where: string;
  /** Counted from 1, the header not among them, and blank rows like all others. */
  readonly number: number;
  /** Names of its fields, those too that have no value. */
  readonly fields: readonly string[];
  /** Fields without a value (null, NaN) are left out, in all kinds of files. */
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
  'arrow',
  'feather',
]);

/**
 * The records of a JSON array, JSON lines, CSV or TSV (the first row names the columns), parquet or Arrow file. What cannot
 * be read goes to `report`. Blank rows are rows: their number is another item's in no language.
 */
export async function readRows(file: SourceFile, report: ReportProblem): Promise<SourceRow[]> {
  const { path, extension } = file;
  if (extension === 'parquet') return readParquet(path, report);
  const bytes = await readBytes(file.path, report);
  if (bytes === undefined) return [];
  if (extension === 'arrow' || extension === 'feather') return readArrowRows(bytes, path, report);
  if (extension === 'csv' || extension === 'tsv') {
    const records = readDelimited(bytes, path, extension, report);
    const header = records.findIndex(({ fields }) => !fields.every(isBlankField));
    const names = records[header]?.fields ?? [];
    return records.slice(header + 1).map(({ line, fields }, i) => ({
      where: `${path}:${line}`,
      number: i + 1,
      fields: names,
      value: Object.fromEntries(names.map((name, c) => [name, fields[c] ?? ''])),
    }));
  }
  if (extension === 'json') {
    const text = decodeUtf8(bytes, path, report);
    const json = text === undefined ? undefined : parseJson(text, path, report);
    if (json === undefined) return [];
    const values = Array.isArray(json.value) ? json.value : [json.value];
    return values.map((value, i) => rowOf(value, i + 1, `${path}: record ${i + 1}`));
  }
  return [...readJsonLines(bytes, path, report)].map(({ line, value }) =>
    rowOf(value, line, `${path}:${line}`),
  );
}

function rowOf(value: unknown, number: number, where: string, fields?: readonly string[]): SourceRow {
  const isRecord = typeof value === 'object' && value !== null && !Array.isArray(value);
  return { where, number, fields: fields ?? (isRecord ? Object.keys(value) : []), value: plain(value) };
}

const isBlankField = (field: string) => field.trim() === '';

/** Whether a record has nothing in any of some fields: a language lacks the item, and the row keeps its place. */
export function isBlankRow(value: unknown, fields: readonly string[]): boolean {
  if (value === null) return true;
  if (typeof value !== 'object' || Array.isArray(value)) return false;
  return fields.every((field) => isNothing((value as Record<string, unknown>)[field]));
}

function isNothing(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  if (typeof value === 'string') return isBlankField(value);
  return typeof value === 'object' && Object.values(value).every(isNothing);
}

export interface DelimitedRecord {
  /** Counted from 1: the last line of the record. */
  readonly line: number;
  /** As many as in the first record; one, empty, of a blank line. */
  readonly fields: readonly string[];
}

/**
 * The records of a CSV or TSV file, header and blank lines and all, but for blank lines at the end. All others must have as many
 * fields as the first; a quote inside a field is a character like any other. With `quotes` false, one at its start is too.
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
  const malformed = (found: string) => {
    report({
      what: `malformed ${extension.toUpperCase()}`,
      where: path,
      expected: 'as many fields in every row as in the first',
      found,
      remedy: 'mend this row, or download the file again',
    });
    return [];
  };
  let records: DelimitedRecord[];
  try {
    const parsed: unknown = parse(text, {
      delimiter: extension === 'tsv' ? '\t' : ',',
      quote: quotes ? '"' : null,
      relax_quotes: true,
      relax_column_count: true,
      info: true,
      max_record_size: MOST_RECORD_BYTES,
    });
    records = (parsed as { info: { lines: number }; record: string[] }[]).map(({ info, record }) => ({
      line: info.lines,
      fields: record,
    }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    return malformed(error.message);
  }
  const isBlank = ({ fields }: DelimitedRecord) => fields.length === 1 && isBlankField(fields[0]!);
  records.length = records.findLastIndex((record) => !isBlank(record)) + 1;
  const width = records.find((record) => !isBlank(record))?.fields.length;
  const uneven = records.find((record) => !isBlank(record) && record.fields.length !== width);
  if (uneven === undefined) return records;
  return malformed(`${uneven.fields.length} fields on line ${uneven.line}, ${width} in the first row`);
}

async function readParquet(path: string, report: ReportProblem): Promise<SourceRow[]> {
  try {
    const rows = await readObjects(path);
    return rows.map((row, i) => rowOf(row, i + 1, `${path}: row ${i + 1}`));
  } catch (error) {
    report({
      what: 'the parquet file cannot be read',
      where: path,
      expected: 'parquet, uncompressed or with snappy, gzip, brotli, lz4 or zstd',
      found: messageOf(error),
      remedy: 'download the file again, or write it anew with pandas: to_parquet(…, compression="snappy")',
    });
    return [];
  }
}

function readArrowRows(bytes: Uint8Array, path: string, report: ReportProblem): SourceRow[] {
  try {
    const { fields, rows } = readArrow(bytes);
    return rows.map((row, i) => rowOf(row, i + 1, `${path}: row ${i + 1}`, fields));
  } catch (error) {
    report({
      what: 'the Arrow file cannot be read',
      where: path,
      expected: 'an Arrow file or stream without compression, as datasets.save_to_disk(…) writes it',
      found: messageOf(error),
      remedy: 'save it anew, or as parquet: dataset.to_parquet(…)',
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
    await parquetRead({ file, metadata: footer, compressors: PARQUET_CODECS });
    return await parquetReadObjects({ file, metadata: footer, compressors: PARQUET_CODECS });
  } finally {
    await close();
  }
}

/** 64-bit integers as numbers, or as their digits where no number holds them; fields without a value left out. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : `${value}`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || value instanceof Date || ArrayBuffer.isView(value)) {
    return value;
  }
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, entry]) =>
      entry == null || Number.isNaN(entry) ? [] : [[key, plain(entry)]],
    ),
  );
}
