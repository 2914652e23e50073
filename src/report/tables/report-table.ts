import { csvLine } from '../../store/index.js';
import { decimal, number } from '../words/text.js';

/** An array: one cell of the page, several fields of a CSV file. */
export type Cell = string | number | null | readonly (number | null)[];
/** `parts` names the fields of an array. */
type Column = string | { readonly name: string; readonly parts: readonly string[] };

/** Columns, each with the cell that it has in a row. */
export type Columns<Row> = readonly (readonly [column: Column, cellOf: (row: Row) => Cell])[];

export const TABLE_NAMES = [
  'headlines',
  'parts',
  'contrast-numbers',
  'alignment-levels',
  'alignment-changes',
  'alignment-contrasts',
  'alignment-trends',
  'trends',
  'multiplicity',
  'tokens',
  'reliability',
] as const;

/** A table of the report: the page sets it, a CSV file holds it. */
export interface ReportTable {
  readonly name: (typeof TABLE_NAMES)[number];
  readonly title: string;
  readonly note: string;
  readonly columns: readonly Column[];
  /** The first `headers` cells of a row name it. */
  readonly headers: number;
  readonly rows: readonly (readonly Cell[])[];
}

/** Fills a table, column by column. */
export function reportTable<Row>(
  about: Pick<ReportTable, 'name' | 'title' | 'note' | 'headers'>,
  rows: readonly Row[],
  columns: Columns<Row>,
): ReportTable {
  return {
    ...about,
    columns: columns.map(([column]) => column),
    rows: rows.map((row) => columns.map(([, cellOf]) => cellOf(row))),
  };
}

export function columnName(column: Column): string {
  return typeof column === 'string' ? column : `${column.name} ${column.parts.join(' · ')}`;
}

/** A page shows a cell as this text. */
export function cellText(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  if (isArray(cell))
    return cell.every((part) => part === null) ? '–' : cell.map((part) => number(part)).join(' · ');
  return cell !== null && Number.isInteger(cell) ? decimal(cell, 0) : number(cell);
}

/** RFC 4180, full precision; what cannot be computed is empty. */
export function toCsv({ columns, rows }: ReportTable): string {
  const names = columns.flatMap((column) =>
    typeof column === 'string' ? [column] : column.parts.map((part) => `${column.name} ${part}`),
  );
  const fields = rows.map((row) =>
    row.flatMap((cell): (string | number | null)[] => (isArray(cell) ? [...cell] : [cell])),
  );
  return [names, ...fields].map(csvLine).join('');
}

function isArray(cell: Cell): cell is readonly (number | null)[] {
  return Array.isArray(cell);
}
