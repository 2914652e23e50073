import type { SamplingFloor, SeedFloor, Trend } from '../../compare/index.js';
import { csvLine } from '../../store/index.js';
import { decimal, number } from '../words/text.js';

/** An array: one cell of the page, several fields of a CSV file. */
export type Cell = string | number | null | readonly (number | null)[];
/** `parts` names the fields of an array. */
export type Column = string | { readonly name: string; readonly parts: readonly string[] };

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

const QUANTILES = ['5 %', '50 %', '95 %'];
const SPREAD = ['least', 'median', 'most'];
const NOTHING: readonly (number | null)[] = [null, null, null];

/** Both floors of a number and what they say of it. */
export const FLOOR_COLUMNS: readonly Column[] = [
  ...['within from', 'within to', 'across'].map((name) => ({ name, parts: QUANTILES })),
  'share outside',
  'verdict',
  ...['within from', 'within to', 'across'].map((name) => ({ name: `${name}, seeds`, parts: SPREAD })),
  'share outside, seeds',
  'verdict, seeds',
  'note',
];

export function floorCells({ seeds, ...sampling }: SamplingFloor & { readonly seeds: SeedFloor }): Cell[] {
  return [
    ...[sampling.withinFrom, sampling.withinTo, sampling.across].map((spread) => spread ?? NOTHING),
    sampling.shareOutside,
    sampling.verdict,
    ...[seeds.withinFrom, seeds.withinTo, seeds.across].map((spread) => spread ?? NOTHING),
    seeds.shareOutside,
    seeds.verdict,
    sampling.note,
  ];
}

/** Above a table of differences in differences. */
export function contrastNote(splits: number): string {
  return `(to − reference) − (from − reference), each regime the mean over its training seeds. Sampling: 5 %, 50 % and 95 % between random halves, ${splits} splits; training seeds: least, median and most over pairs. A dash: cannot be computed.`;
}

export const TREND_COLUMNS: readonly Column[] = ['values', 'S', 'τ', 'p', 'verdict', 'note'];

export function trendCells({ points, s, tau, p, verdict, note }: Trend): Cell[] {
  return [points.length, s, tau, p, verdict, note];
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
