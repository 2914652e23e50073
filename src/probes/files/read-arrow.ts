import { type Column, tableFromIPC } from '@uwdata/flechette';

/** Rows of a table, each an object. */
const MOST_ROWS = 4_000_000;
/** Characters of all texts together: offsets may name the same bytes any number of times. */
const MOST_CHARACTERS = 2 ** 28;

type Batch = Column<unknown>['data'][number];

/**
 * The rows of an Arrow file or stream, as `datasets` saves tables to disk.
 *
 * @throws Error that says what is wrong, without the path
 */
export function readArrow(bytes: Uint8Array): { fields: readonly string[]; rows: Record<string, unknown>[] } {
  const table = tableFromIPC(bytes, { useBigInt: true });
  const { names, numRows } = table;
  if (!(numRows <= MOST_ROWS)) throw new Error(`${numRows} rows, more than ${MOST_ROWS}`);
  const fields = names.map(String);
  const rows = Array.from({ length: numRows }, (): Record<string, unknown> => ({}));
  let characters = 0;
  for (const [c, column] of table.children.entries()) {
    for (const batch of column.data) checkOffsets(batch);
    if (column.length !== numRows)
      throw new Error(`${column.length} values of column ${fields[c]} in ${numRows} rows`);
    for (let row = 0; row < numRows; row++) {
      const value: unknown = column.at(row);
      if (typeof value === 'string') characters += value.length;
      if (characters > MOST_CHARACTERS) throw new Error(`more than ${MOST_CHARACTERS} characters of text`);
      Object.defineProperty(rows[row]!, fields[c]!, {
        value,
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
  }
  return { fields, rows };
}

/** Lists and texts follow each other, so that all of them together are no longer than what is stored. */
function checkOffsets(batch: Batch): void {
  const { offsets, sizes } = batch;
  if (sizes !== undefined) throw new Error('lists whose places are given one by one');
  if (offsets !== undefined) {
    for (let i = 1; i < offsets.length; i++)
      if (offsets[i]! < offsets[i - 1]!) throw new Error('texts or lists that overlap');
  }
  for (const child of batch.children ?? []) checkOffsets(child as Batch);
}
