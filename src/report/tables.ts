import type { Comparison } from '../compare/types.js';
import { UNIT_WORDS } from './figure.js';
import { MEASURE_WORDS } from './measures.js';
import { count, number } from './text.js';

export type Cell = string | number | null;

/** A table of the report: the page sets it, a CSV file holds it. */
export interface ReportTable {
  readonly name: 'headlines' | 'tokens' | 'reliability';
  readonly title: string;
  readonly note: string;
  readonly columns: readonly string[];
  /** The first `headers` cells of a row name it. */
  readonly headers: number;
  readonly rows: readonly (readonly Cell[])[];
}

export function buildTables(comparison: Comparison): ReportTable[] {
  return [headlines(comparison), tokens(comparison), reliability(comparison)].filter(
    ({ rows }) => rows.length > 0,
  );
}

/** Every headline number with its interval, floors and verdict. */
function headlines({ units, splits }: Comparison): ReportTable {
  return {
    name: 'headlines',
    title: 'Headline numbers',
    note: `Floors and across: 5 %, 50 % and 95 % of the measure between random halves of the folds, ${splits} splits, at half size; differences are absolute. A dash: cannot be computed.`,
    headers: 3,
    columns: [
      'units',
      'measure',
      'run',
      'unit',
      'reference',
      'other',
      'change',
      'low',
      'high',
      ...['within reference', 'within other', 'across'].flatMap((of) =>
        ['5 %', '50 %', '95 %'].map((q) => `${of} ${q}`),
      ),
      'share outside',
      'verdict',
      'note',
    ],
    rows: units.flatMap((unit) =>
      unit.headlines.map((h) => [
        UNIT_WORDS[h.type].many,
        MEASURE_WORDS[h.measure].name(UNIT_WORDS[h.type].many),
        h.label,
        MEASURE_WORDS[h.measure].unit,
        h.reference,
        h.other,
        h.change.value,
        h.change.low,
        h.change.high,
        ...(h.withinReference ?? [null, null, null]),
        ...(h.withinOther ?? [null, null, null]),
        ...(h.across ?? [null, null, null]),
        h.shareOutside,
        h.verdict,
        h.note,
      ]),
    ),
  };
}

/** T_k beside everything: languages differ in tokens a sentence. */
function tokens({ languages, runs }: Comparison): ReportTable {
  return {
    name: 'tokens',
    title: 'Tokens per language',
    note: 'Counted tokens and prompts of each run.',
    headers: 2,
    columns: [
      'tag',
      'language',
      'script',
      'family',
      ...runs.flatMap(({ label }) => [`${label}: prompts`, `${label}: tokens`]),
    ],
    rows: languages.map(({ tag, name, script, family }) => [
      tag,
      name,
      script,
      family,
      ...runs.flatMap((run) => {
        const counted = run.languages.find((language) => language.tag === tag);
        return [counted?.prompts ?? null, counted?.tokens ?? null];
      }),
    ]),
  };
}

function reliability(comparison: Comparison): ReportTable {
  return {
    name: 'reliability',
    title: 'Reliability of each score',
    note: 'Spearman correlation of the score between two random halves of the folds, and its Spearman–Brown step-up to full size. A dash: cannot be computed, or the run was not scored.',
    headers: 3,
    columns: ['run', 'units', 'score', 'halves', 'step-up'],
    rows: comparison.reliability.map(({ label, type, score, halves, stepUp }) => [
      label,
      UNIT_WORDS[type].many,
      score,
      halves,
      stepUp,
    ]),
  };
}

/** What a page shows of a cell. */
export function cellText(cell: Cell): string {
  if (typeof cell === 'string') return cell;
  return cell !== null && Number.isInteger(cell)
    ? cell < 0
      ? `−${count(-cell)}`
      : count(cell)
    : number(cell);
}

/** RFC 4180, full precision; what cannot be computed is empty. */
export function toCsv({ columns, rows }: ReportTable): string {
  const line = (cells: readonly Cell[]) =>
    cells
      .map((cell) => {
        const text = cell === null ? '' : String(cell);
        return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
      })
      .join(',');
  return `${[columns, ...rows].map(line).join('\r\n')}\r\n`;
}
