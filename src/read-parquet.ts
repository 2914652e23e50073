import type { FileHandle } from 'node:fs/promises';
import {
  type AsyncBuffer,
  type ColumnMetaData,
  type FileMetaData,
  parquetMetadataAsync,
  parquetSchema,
  type RowGroup,
  type SchemaTree,
} from 'hyparquet';
import { parquetHeader } from 'hyparquet/src/column.js';
import { openFile, readFully } from './read-file.js';
import { checkRuns, type Levels } from './read-parquet-runs.js';

/** Bytes of the footer; hundreds of row groups of dozens of columns have 1 MB. */
const MOST_FOOTER_BYTES = 2 ** 23; // 8 MiB
/** Bytes of all pages of a row group, unpacked. Writers end a row group at 128 MiB. */
const MOST_GROUP_BYTES = 2 ** 29; // 512 MiB
/** Values of all columns of a row group: each takes a place in an array. Ours have 65,536 rows. */
const MOST_GROUP_VALUES = 2 ** 26;
/** Snappy copies at most 64 bytes for three. */
const MOST_TIMES_UNPACKED = 22;
/** The other codecs pack what repeats itself without an end: what all of a file may unpack to, as of gzip files. */
const MOST_TIMES_DENSE = 100;
const ALWAYS_DENSE_BYTES = 2 ** 24; // 16 MiB
const DENSE: ReadonlySet<string> = new Set(['GZIP', 'BROTLI', 'LZ4', 'LZ4_RAW', 'ZSTD']);
/** What a small page may have besides. */
const PAGE_BYTES = 1024;
/** What is read to find a page's header, which holds two texts at most beside its numbers. */
const HEADER_BYTES = 2 ** 14; // 16 KiB

/** A parquet file that is open, for the functions of hyparquet. */
export interface ParquetFile {
  readonly file: AsyncBuffer;
  readonly footer: FileMetaData;
  /** Checks a row group before its columns are read. @throws Error if they would take more than the file can justify */
  check(group: RowGroup, columns?: readonly string[]): Promise<void>;
  /** Waits for all reads, those too that nobody waits for any more, and closes the file. */
  close(): Promise<void>;
}

/**
 * Opens a parquet file and reads its footer. hyparquet reserves what the headers of pages ask for, so these are looked at
 * first: sizes and counts that the bytes of the file cannot hold are refused.
 *
 * @throws Error that says what is wrong, without the path
 */
export async function openParquet(path: string): Promise<ParquetFile> {
  const { handle, bytes } = await openFile(path);
  const reads = new Set<Promise<unknown>>();
  const file: AsyncBuffer = {
    byteLength: bytes,
    slice(start, end = bytes) {
      const read = readSlice(handle, start, end, bytes);
      reads.add(read);
      // hyparquet forgets the others where one of several reads fails.
      read.catch(() => undefined).finally(() => reads.delete(read));
      return read;
    },
  };
  const close = async () => {
    await Promise.allSettled(reads);
    await handle.close();
  };
  try {
    const tail = new DataView(await file.slice(Math.max(0, bytes - 8), bytes));
    if (tail.byteLength < 8) throw new Error(`${bytes} bytes, too few for a parquet file`);
    const footerBytes = tail.getUint32(0, true);
    if (footerBytes > Math.min(MOST_FOOTER_BYTES, bytes - 8)) {
      throw new Error(`a footer of ${footerBytes} bytes in a file of ${bytes}`);
    }
    const footer = await parquetMetadataAsync(file, { geoparquet: false });
    const leaves = new Map(leavesOf(parquetSchema(footer)));
    const dense: Extent = { stored: 0, unpacked: 0, values: 0 };
    const check = async (group: RowGroup, columns?: readonly string[]) => {
      checkNames(group, leaves);
      await checkGroup(handle, bytes, group, { leaves, columns, dense });
    };
    return { file, footer, check, close };
  } catch (cause) {
    await close();
    throw cause;
  }
}

async function readSlice(
  handle: FileHandle,
  start: number,
  end: number,
  bytes: number,
): Promise<ArrayBuffer> {
  if (!(start >= 0 && start <= end && end <= bytes)) throw new Error(`bytes ${start} to ${end} of ${bytes}`);
  const slice = new Uint8Array(end - start);
  await readFully(handle, slice, start);
  return slice.buffer;
}

/** Names of the columns that hold values, with those that they lie in, and the levels of each. */
function* leavesOf(
  { children, path, element }: SchemaTree,
  above: Levels | null = null,
): Generator<[string, Levels]> {
  const { repetition_type: type } = element;
  const levels = {
    repetition: (above?.repetition ?? 0) + (above !== null && type === 'REPEATED' ? 1 : 0),
    definition: (above?.definition ?? 0) + (above !== null && type !== 'REQUIRED' ? 1 : 0),
  };
  if (children.length === 0) yield [path.join('.'), levels];
  for (const child of children) yield* leavesOf(child, levels);
}

/**
 * Every column must be there once. hyparquet starts to read them all before it looks for each, and forgets what it started
 * where one is missing.
 */
function checkNames(group: RowGroup, leaves: ReadonlyMap<string, Levels>): void {
  const names = new Set(group.columns.map(({ meta_data: column }) => column?.path_in_schema.join('.') ?? ''));
  const missing = [...leaves.keys()].find((name) => !names.has(name));
  if (missing !== undefined) throw new Error(`a row group without the column ${missing}`);
  if (group.columns.length !== leaves.size || names.size !== leaves.size)
    throw new Error(`${group.columns.length} columns in a row group, ${leaves.size} in the schema`);
}

/** What the pages of a row group hold together. */
interface Extent {
  stored: number;
  unpacked: number;
  values: number;
}

async function checkGroup(
  handle: FileHandle,
  fileBytes: number,
  group: RowGroup,
  about: {
    readonly leaves: ReadonlyMap<string, Levels>;
    readonly columns: readonly string[] | undefined;
    readonly dense: Extent;
  },
): Promise<void> {
  const { leaves, columns, dense } = about;
  const extent: Extent = { stored: 0, unpacked: 0, values: 0 };
  const rows = Number(group.num_rows);
  for (const { meta_data: column } of group.columns) {
    if (column === undefined) throw new Error('a column without a description');
    const [name = ''] = column.path_in_schema;
    if (columns !== undefined && !columns.includes(name)) continue;
    const values = await checkColumn(handle, fileBytes, column, {
      levels: leaves.get(column.path_in_schema.join('.'))!,
      extent,
      dense,
    });
    // Lists have more values than rows, and all others as many.
    if (column.path_in_schema.length === 1 && values !== rows)
      throw new Error(`${values} values of column ${name} in ${rows} rows`);
  }
}

/** Looks at the headers of a column's pages. Returns its values. */
async function checkColumn(
  handle: FileHandle,
  fileBytes: number,
  column: ColumnMetaData,
  { levels, extent, dense }: { readonly levels: Levels; readonly extent: Extent; readonly dense: Extent },
): Promise<number> {
  const start = Number(column.dictionary_page_offset || column.data_page_offset);
  const end = start + Number(column.total_compressed_size);
  const name = column.path_in_schema.join('.');
  if (!(start >= 0 && start <= end && end <= fileBytes)) {
    throw new Error(`column ${name} at bytes ${start} to ${end} of a file of ${fileBytes}`);
  }
  extent.stored += end - start;
  if (extent.stored > fileBytes) throw new Error('columns that together are larger than the file');
  let values = 0;
  // The reader ends before the last byte too.
  for (let at = start; at < end - 1; ) {
    const { bytes, header } = await pageAt(handle, at, end);
    const stored = header.compressed_page_size;
    const unpacked = header.uncompressed_page_size;
    const data = header.data_page_header ?? header.data_page_header_v2;
    const held = data?.num_values ?? header.dictionary_page_header?.num_values ?? 0;
    at += bytes + stored;
    if (!(stored >= 0 && at <= end)) throw new Error(`a page of ${stored} bytes in column ${name}`);
    const justified = column.codec === 'UNCOMPRESSED' ? stored : MOST_TIMES_UNPACKED * stored + PAGE_BYTES;
    if (DENSE.has(column.codec)) {
      dense.stored += stored;
      dense.unpacked += unpacked;
      if (!(unpacked >= 0 && dense.unpacked <= Math.max(ALWAYS_DENSE_BYTES, MOST_TIMES_DENSE * dense.stored)))
        throw new Error(`pages up to column ${name} that unpack ${dense.stored} bytes to ${dense.unpacked}`);
    } else if (!(unpacked >= 0 && unpacked <= justified))
      throw new Error(`a page of column ${name} that unpacks ${stored} bytes to ${unpacked}`);
    if (!(held >= 0)) throw new Error(`a page of column ${name} with ${held} values`);
    if (data === undefined && held > unpacked)
      throw new Error(`a dictionary of ${held} values in ${unpacked} bytes`);
    // Values that repeat the one before them may grow without bound, and blocks of no size never end.
    if (data?.encoding?.startsWith('DELTA'))
      throw new Error(`column ${name} in the encoding ${data.encoding}`);
    if (data !== undefined) values += held;
    extent.values += held;
    extent.unpacked += unpacked;
    if (data !== undefined && unpacked <= MOST_GROUP_BYTES) {
      const page = new Uint8Array(stored);
      await readFully(handle, page, at - stored);
      checkRuns(page, header, column, levels);
    }
    if (extent.values > MOST_GROUP_VALUES)
      throw new Error(`a row group of more than ${MOST_GROUP_VALUES} values`);
    if (extent.unpacked > MOST_GROUP_BYTES)
      throw new Error(`a row group that unpacks to more than ${MOST_GROUP_BYTES} bytes`);
  }
  return values;
}

/** A page's header, and the bytes it takes. */
async function pageAt(handle: FileHandle, at: number, end: number) {
  for (const most of [HEADER_BYTES, end - at]) {
    const bytes = new Uint8Array(Math.min(most, end - at));
    await readFully(handle, bytes, at);
    const reader = { view: new DataView(bytes.buffer), offset: 0 };
    try {
      const header = parquetHeader(reader);
      return { header, bytes: reader.offset };
    } catch (cause) {
      if (bytes.byteLength === end - at) throw cause;
    }
  }
  throw new Error(`no header of a page at byte ${at}`);
}
