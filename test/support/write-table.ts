import { ROW_GROUP_ROWS, streamTable } from '../../src/store/files/table.js';
import type { FileChecksum } from '../../src/store/integrity/checksum.js';

/** A column of a table. Missing values are null; in `float64` columns NaN, which is stored as null. */
export type TableColumn =
  | { readonly name: string; readonly type: 'float64'; readonly values: ArrayLike<number> }
  | { readonly name: string; readonly type: 'int32'; readonly values: ArrayLike<number | null> }
  | { readonly name: string; readonly type: 'string'; readonly values: readonly (string | null)[] }
  | { readonly name: string; readonly type: 'boolean'; readonly values: readonly (boolean | null)[] };

/**
 * Writes a parquet table, whole or not at all; equal columns and metadata give equal bytes. Every column is
 * nullable, so that the schema does not depend on the values.
 *
 * @throws OutputError if it cannot be written.
 */
export async function writeTable(
  path: string,
  columns: readonly TableColumn[],
  metadata: Readonly<Record<string, string>> = {},
): Promise<FileChecksum> {
  const rows = columns[0]?.values.length ?? 0;
  for (const { name, values } of columns) {
    if (values.length !== rows) throw new RangeError(`column ${name} has ${values.length} rows, not ${rows}`);
  }
  function* pieces() {
    for (let start = 0; start < rows; start += ROW_GROUP_ROWS) {
      yield columns.map(({ values }) => Array.prototype.slice.call(values, start, start + ROW_GROUP_ROWS));
    }
  }
  return streamTable(path, columns, pieces(), metadata);
}
