import type { Headline, UnitComparison } from '../../compare/index.js';
import { againstReference, UNIT_WORDS } from '../figures/figure.js';
import {
  changeInWords,
  intervalInWords,
  isSigned,
  MEASURE_WORDS,
  type Standardised,
  sidesInWords,
  standardise,
} from '../words/measures.js';
import { ellipsize, percent, wrap } from '../words/text.js';

/** Width of the columns whose text must fit, in pixels. */
export const RUN_WIDTH = 118;
export const VERDICT_WIDTH = 220;
/** Between columns. */
export const GAP = 12;
/** Right of the verdict's mark. */
export const TEXT_START = 17;
/** Ends of the axis in units of the noise floor; what lies beyond the widest is drawn at the end, with an arrow. */
export const FLOOR_LOW = 1 / 8;
const FLOOR_HIGH = { least: 8, most: 512 };
const FLOOR_TICKS = 10;
/** A verdict above a note of two lines, and air between it and the next row. */
const NOTED_ROW = 46;

/** By measure, then run, so that runs stand under each other. */
export function arrange(units: UnitComparison): Headline[] {
  const headlines = againstReference(units);
  const measures = [...new Set(headlines.map(({ measure }) => measure))];
  return measures.flatMap((measure) => headlines.filter((headline) => headline.measure === measure));
}

/** A headline that is drawn, and how many runs its row stands for. */
export interface DrawnHeadline extends Headline {
  readonly runs: number;
}

/** A measure that is not measured in any run, for one and the same reason, has one row. */
export function withoutRepeats(headlines: readonly Headline[]): DrawnHeadline[] {
  return [...new Set(headlines.map(({ measure }) => measure))].flatMap((measure) => {
    const own = headlines.filter((headline) => headline.measure === measure);
    const [first] = own;
    const repeated = own.every(({ verdict, note }) => verdict === 'not measured' && note === first!.note);
    return repeated ? [{ ...first!, runs: own.length }] : own.map((headline) => ({ ...headline, runs: 1 }));
  });
}

/** Room for two lines in a row; the page and the caption have all of it. */
export function noteLines(note: string): string {
  const width = (VERDICT_WIDTH - TEXT_START) / 10;
  const [first = '', ...rest] = wrap(note, width);
  return rest.length === 0 ? first : `${first}\n${ellipsize(rest.join(' '), width)}`;
}

/** Height of a row in pixels: with room for notes of two lines, where there are any. */
export function rowHeight(usual: number, notes: readonly string[]): number {
  return notes.some((note) => note.includes('\n')) ? Math.max(usual, NOTED_ROW) : usual;
}

/** The power of two that all measured rows fit below. */
export function axisEnd(headlines: readonly Headline[]): number {
  const largest = Math.max(
    FLOOR_HIGH.least,
    ...headlines.map((headline) => standardise(headline)?.across[2] ?? 0).filter(Number.isFinite),
  );
  return Math.min(FLOOR_HIGH.most, 2 ** Math.ceil(Math.log2(largest)));
}

/** At most `FLOOR_TICKS` of them, 1 among them. */
export function powersOfTwo(low: number, high: number): number[] {
  const [from, to] = [Math.log2(low), Math.log2(high)];
  const step = Math.ceil((to - from + 1) / FLOOR_TICKS);
  const ticks: number[] = [];
  for (let power = Math.ceil(from / step) * step; power <= to; power += step) ticks.push(2 ** power);
  return ticks;
}

/** What one row draws and says; `above` is the headline of the row before, `end` the end of the floor axis. */
export function forestRow(headline: DrawnHeadline, row: number, above: Headline | undefined, end: number) {
  const { type, measure, verdict, shareOutside, note, to, change, runs } = headline;
  const first = above?.measure !== measure || above.type !== type;
  const floor = standardise(headline);
  const signedChange = isSigned(headline) && change.value !== null;
  const reach = Math.max(...[change.value, change.low, change.high].map((v) => Math.abs(v ?? 0))) * 1.08;
  const scaled = (value: number | null) =>
    !signedChange || value === null || reach === 0 ? (signedChange ? 0 : null) : value / reach;
  const outside = shareOutside === null ? '' : `${percent(shareOutside)} of split halves beyond`;
  const { name, unit } = MEASURE_WORDS[measure];
  return {
    row,
    first,
    measure: first ? name(UNIT_WORDS[type].many) : '',
    unit: first ? unit : '',
    runs: runs === 1 ? ellipsize(to, RUN_WIDTH / 11) : `all ${runs} runs`,
    sides: runs > 1 ? '' : isSigned(headline) ? sidesInWords(headline) : 'between the two',
    changeText: changeInWords(headline),
    intervalText: intervalInWords(headline),
    sketch: scaled(change.value),
    sketchLow: scaled(change.low ?? change.value),
    sketchHigh: scaled(change.high ?? change.value),
    ...floorFields('sampling', floor, end),
    verdict,
    outside,
    noteLines: noteLines(note),
    note,
  };
}

/** What `forestColumns.floor` draws of a row, with `prefix` before each name. */
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
