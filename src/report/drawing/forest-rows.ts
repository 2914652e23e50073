import type { Estimate } from '../../compare/index.js';
import type { Standardised } from '../words/measures.js';
import { wrap } from '../words/text.js';

/** Width of the finding's column, in pixels: its text must fit. */
export const FINDING_WIDTH = 220;
/** Between columns. */
export const GAP = 12;
/** Right of the finding's mark. */
export const TEXT_START = 17;
/** The left end of the axis in units of the noise floor. */
export const FLOOR_LOW = 1 / 8;
const FLOOR_TICKS = 10;
/** With more rows than this, a row is one line. */
const MOST_ROOMY = 30;
const DENSE_ROW = 19;
/** Height of a finding with air below it, and of each line of its note, in pixels. */
const NOTED_ROW = 24;
const NOTE_LINE = 11;
const NOTE_LINES = 3;

/** How high rows are, and whether there is room for a second line in them. */
export interface RowLayout {
  readonly step: number;
  readonly dense: boolean;
}

/** @param usual Height of a row that has no note, in pixels. */
export function rowLayout(rows: number, usual: number, notes: readonly string[]): RowLayout {
  if (rows > MOST_ROOMY) return { step: DENSE_ROW, dense: true };
  const lines = Math.max(0, ...notes.map((note) => noteLines(note).split('\n').length));
  return { step: lines < 2 ? usual : Math.max(usual, NOTED_ROW + lines * NOTE_LINE), dense: false };
}

/** A note below a finding, as many of its clauses as there is room for; the page and the caption have all of it. */
export function noteLines(note: string): string {
  const clauses = note.split('; ');
  for (let shown = clauses.length; shown > 0; shown -= 1) {
    const text = clauses.slice(0, shown).join('; ') + (shown < clauses.length ? '; …' : '');
    const lines = wrap(text, (FINDING_WIDTH - TEXT_START) / 10);
    if (lines.length <= NOTE_LINES) return lines.join('\n');
    if (shown === 1) return [...lines.slice(0, NOTE_LINES - 1), `${lines[NOTE_LINES - 1]} …`].join('\n');
  }
  return '';
}

/** Interval and value around zero on the row's own scale, −1 … 1. */
export function sketchFields({ value, low, high }: Estimate): Record<string, number | null> {
  const reach = Math.max(...[value, low, high].map((v) => Math.abs(v ?? 0))) * 1.08;
  const scaled = (v: number | null) => (v === null || value === null ? null : reach === 0 ? 0 : v / reach);
  return { sketch: scaled(value), sketchLow: scaled(low ?? value), sketchHigh: scaled(high ?? value) };
}

/** Fields that `forestColumns.floor` draws of a row, with `prefix` before each name. */
export function floorFields(
  prefix: string,
  floor: Standardised | null,
  end: number,
): Record<string, number | boolean | null> {
  const clamp = (value: number) => Math.min(end, Math.max(FLOOR_LOW, value));
  const of = (value: number | undefined) => (value === undefined ? null : clamp(value));
  return {
    [`${prefix}WithinLow`]: of(floor?.within[0]),
    [`${prefix}WithinHigh`]: of(floor?.within[1]),
    [`${prefix}Across`]: of(floor?.across[1]),
    [`${prefix}AcrossLow`]: of(floor?.across[0]),
    [`${prefix}AcrossHigh`]: of(floor?.across[2]),
    [`${prefix}Beyond`]: floor !== null && floor.across[2] > end,
  };
}

/** The power of two that all rows fit below; what lies beyond `most` is drawn at the end, with an arrow. */
export function floorEnd(
  floors: readonly (Standardised | null)[],
  { least, most }: { readonly least: number; readonly most: number },
): number {
  const largest = Math.max(least, ...floors.map((floor) => floor?.across[2] ?? 0).filter(Number.isFinite));
  return Math.min(most, 2 ** Math.ceil(Math.log2(largest)));
}

/** At most `FLOOR_TICKS` of them, 1 among them. */
export function powersOfTwo(low: number, high: number): number[] {
  const [from, to] = [Math.log2(low), Math.log2(high)];
  const step = Math.ceil((to - from + 1) / FLOOR_TICKS);
  const ticks: number[] = [];
  for (let power = Math.ceil(from / step) * step; power <= to; power += step) ticks.push(2 ** power);
  return ticks;
}
