import { type DecodedArray, parquetRead, parquetSchema } from 'hyparquet';
import { ByteWriter, ParquetWriter, schemaFromColumnData } from 'hyparquet-writer';
import { messageOf, RunError } from '../../errors.js';
import { openParquet, type ParquetFile } from '../../read-parquet.js';
import type { FileChecksum } from '../integrity/checksum.js';
import { writeFileAtomic } from './write-file-atomic.js';

export type ColumnType = keyof typeof PARQUET_TYPES;

export type TableValue = number | string | boolean | null;

/** A table in memory, as `readTable` returns it. */
export interface Table {
  readonly rows: number;
  readonly columns: ReadonlyMap<string, readonly TableValue[]>;
  readonly metadata: Readonly<Record<string, string>>;
}

const PARQUET_TYPES = { float64: 'DOUBLE', int32: 'INT32', string: 'STRING', boolean: 'BOOLEAN' } as const;

/** Rows of a row group: what is encoded, and held, at once. */
export const ROW_GROUP_ROWS = 65_536;

/**
 * Writes a parquet table from rows that are made while it is written: no more than a piece is held. Whole or not at all;
 * equal rows and metadata give equal bytes. Every column is nullable, so that the schema does not depend on the values.
 *
 * @param pieces Each becomes a row group: the values of some rows, one array a column, all of one length. NaN is stored
 *   as null.
 * @returns length and SHA-256 of the file.
 * @throws OutputError if it cannot be written.
 */
export async function streamTable(
  path: string,
  columns: readonly { readonly name: string; readonly type: ColumnType }[],
  pieces: Iterable<readonly ArrayLike<TableValue>[]> | AsyncIterable<readonly ArrayLike<TableValue>[]>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<FileChecksum> {
  const sources = columns.map(({ name, type }) => ({
    name,
    type: PARQUET_TYPES[type],
    nullable: true,
    // Measured numbers hardly compress, and nobody looks rows up by their bounds: both would double the time.
    ...(type === 'float64' && { codec: 'UNCOMPRESSED' as const, statistics: false }),
  }));
  const bytes = new ByteWriter();
  const writer = new ParquetWriter({
    writer: bytes,
    schema: schemaFromColumnData({ columnData: sources.map((source) => ({ ...source, data: [] })) }),
    kvMetadata: Object.keys(metadata)
      .sort()
      .map((key) => ({ key, value: metadata[key]! })),
    createdBy: 'babelscope',
  });
  const take = () => {
    const taken = bytes.getBytes().slice();
    bytes.index = 0;
    return taken;
  };
  async function* chunks() {
    for await (const piece of pieces) {
      const rows = piece[0]!.length;
      const columnData = sources.map((source, c) => ({ ...source, data: nullsOf(piece[c]!) }));
      await writer.write({ columnData, rowGroupSize: rows });
      yield take();
    }
    await writer.finish();
    yield take();
  }
  return writeFileAtomic(path, chunks());
}

/** NaN as null. Arrays of numbers without NaN stay what they are, which encodes several times as fast. */
function nullsOf(values: ArrayLike<TableValue>): DecodedArray {
  let missing = 0;
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i]!)) missing++;
  if (missing === 0) return values as DecodedArray;
  return Array.from(values, (value) => (Number.isNaN(value) ? null : value));
}

/** An open table: its footer, and its columns with their parquet types. */
interface OpenTable extends ParquetFile {
  readonly types: ReadonlyMap<string, string | undefined>;
}

async function openTable(path: string): Promise<OpenTable> {
  const opened = await reading(path, () => openParquet(path));
  try {
    const { children } = await reading(path, async () => parquetSchema(opened.footer));
    if (children.some(({ children: inner }) => inner.length > 0))
      throw unreadable(path, 'columns within columns');
    const types = new Map(children.map(({ element }) => [element.name, element.type]));
    return { ...opened, types };
  } catch (cause) {
    await opened.close();
    throw cause;
  }
}

/**
 * Reads a table that babelscope wrote; NaN is NaN again.
 *
 * @param only names of columns; default all of them.
 * @throws RunError if it is missing or not a parquet file.
 */
export async function readTable(path: string, only?: readonly string[]): Promise<Table> {
  const table = await openTable(path);
  const names = [...table.types.keys()].filter((name) => only?.includes(name) ?? true);
  const columns = new Map(names.map((name): [string, TableValue[]] => [name, []]));
  let rows = 0;
  for await (const group of rowGroups(path, table, names)) {
    rows += group.rows;
    for (const [c, name] of names.entries()) {
      const missing = table.types.get(name) === 'DOUBLE' ? Number.NaN : null;
      const column = columns.get(name)!;
      for (const value of group.columns[c]!) column.push(value ?? missing);
    }
  }
  return { rows, columns, metadata: metadataOf(table) };
}

/** Reads what a table says of itself, without its rows. @throws RunError if it is missing or not a parquet file. */
export async function readTableMetadata(path: string): Promise<Table['metadata']> {
  const table = await openTable(path);
  await table.close();
  return metadataOf(table);
}

function metadataOf({ footer: { key_value_metadata: pairs } }: OpenTable): Table['metadata'] {
  return Object.fromEntries((pairs ?? []).map(({ key, value }) => [key, value ?? '']));
}

/** Some rows of a table: `columns` [column][row], NaN as null. */
export interface TableRows {
  readonly names: readonly string[];
  readonly columns: readonly (readonly TableValue[])[];
  readonly rows: number;
}

/**
 * Reads a table's rows, a row group at a time.
 *
 * @throws RunError if it is missing or not a parquet file.
 */
export async function* readTableRows(path: string): AsyncGenerator<TableRows> {
  const table = await openTable(path);
  yield* rowGroups(path, table, [...table.types.keys()]);
}

/** Closes the table at the end. */
async function* rowGroups(
  path: string,
  { file, footer, check, close }: OpenTable,
  names: readonly string[],
): AsyncGenerator<TableRows> {
  let rowStart = 0;
  try {
    for (const group of footer.row_groups) {
      const rows = Number(group.num_rows);
      // By column: an object a row takes several times as much time and memory.
      const columns = new Map<string, readonly TableValue[]>();
      const range = { file, metadata: footer, columns: [...names], rowStart, rowEnd: rowStart + rows };
      await reading(path, async () => {
        await check(group, names);
        await parquetRead({
          ...range,
          onChunk: ({ columnName, columnData }) => {
            const page = columnData as readonly TableValue[];
            const earlier = columns.get(columnName);
            columns.set(
              columnName,
              earlier === undefined ? page : Array.from(earlier).concat(Array.from(page)),
            );
          },
        });
        const short = names.find((name) => columns.get(name)?.length !== rows);
        if (short !== undefined && rows > 0) throw new Error(`column ${short} has not ${rows} rows`);
      });
      yield { names, columns: names.map((name) => columns.get(name) ?? []), rows };
      rowStart += rows;
    }
  } finally {
    await close();
  }
}

async function reading<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'ENOENT') {
      throw new RunError(
        {
          what: 'there is no such table',
          where: path,
          expected: 'a run that was scored, or a comparison',
          remedy: 'score the run first: babelscope score <run>',
        },
        { cause },
      );
    }
    throw unreadable(path, messageOf(cause), cause);
  }
}

function unreadable(path: string, found: string, cause?: unknown): RunError {
  return new RunError(
    {
      what: 'the table cannot be read',
      where: path,
      expected: 'a parquet file that babelscope wrote',
      found,
      remedy: 'write it again with `babelscope score`',
    },
    { cause },
  );
}
