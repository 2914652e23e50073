import type { Comparison, Contrast, Headline } from '../compare/types.js';
import { csvLine } from '../store/csv.js';
import { ALIGNMENT_WORDS, alignmentLevel } from './alignment-words.js';
import { UNIT_WORDS } from './figure.js';
import { MEASURE_WORDS, measureName } from './measures.js';
import { decimal, number } from './text.js';

/** An array: one cell of the page, several fields of a CSV file. */
export type Cell = string | number | null | readonly (number | null)[];
/** `parts` names the fields of an array. */
export type Column = string | { readonly name: string; readonly parts: readonly string[] };

const QUANTILES = ['5 %', '50 %', '95 %'];
const NOTHING: readonly (number | null)[] = [null, null, null];
const SPREAD = ['least', 'median', 'most'];

export const TABLE_NAMES = [
  'headlines',
  'contrast-numbers',
  'alignment-levels',
  'alignment-changes',
  'alignment-contrasts',
  'trends',
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

export function buildTables(comparison: Comparison): ReportTable[] {
  return [
    headlines(comparison),
    contrasts(comparison),
    alignmentLevels(comparison),
    alignmentChanges(comparison),
    trends(comparison),
    tokens(comparison),
    reliability(comparison),
  ].filter(({ rows }) => rows.length > 0);
}

/** Both floors of a number and what they say of it. */
const FLOOR_COLUMNS: readonly Column[] = [
  ...['within from', 'within to', 'across'].map((name) => ({ name, parts: QUANTILES })),
  'share outside',
  'verdict',
  ...['within from', 'within to', 'across'].map((name) => ({ name: `${name}, seeds`, parts: SPREAD })),
  'share outside, seeds',
  'verdict, seeds',
  'note',
];

function floorCells({ seeds, ...sampling }: Headline | Contrast): Cell[] {
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

/** Every headline number with its interval, floors and verdict. */
function headlines({ units, splits }: Comparison): ReportTable {
  return {
    name: 'headlines',
    title: 'Headline numbers',
    note: `Floors and across: 5 %, 50 % and 95 % of the measure between random halves of the folds, ${splits} splits, at half size; differences are absolute. A dash: cannot be computed.`,
    headers: 4,
    columns: [
      'measure',
      'languages',
      'from',
      'to',
      'unit',
      'value from',
      'value to',
      'change',
      'low',
      'high',
      ...FLOOR_COLUMNS,
    ],
    rows: units.flatMap((unit) =>
      unit.headlines.map((h) => [
        measureName(h),
        h.group ?? 'all',
        h.from,
        h.to,
        MEASURE_WORDS[h.measure].unit,
        h.valueFrom,
        h.valueTo,
        h.change.value,
        h.change.low,
        h.change.high,
        ...floorCells(h),
      ]),
    ),
  };
}

/** Every difference in differences with its interval, floors and verdicts. */
function contrasts({ units, splits }: Comparison): ReportTable {
  return {
    name: 'contrast-numbers',
    title: 'Differences in differences in numbers',
    note: `(to − reference) − (from − reference), each regime the mean over its training seeds. Sampling: 5 %, 50 % and 95 % between random halves, ${splits} splits; training seeds: least, median and most over pairs. A dash: cannot be computed.`,
    headers: 4,
    columns: ['measure', 'languages', 'from', 'to', 'unit', 'difference', 'low', 'high', ...FLOOR_COLUMNS],
    rows: units.flatMap((unit) =>
      unit.contrasts.map((c) => [
        measureName(c),
        c.group ?? 'all',
        c.from,
        c.to,
        MEASURE_WORDS[c.measure].unit,
        c.difference.value,
        c.difference.low,
        c.difference.high,
        ...floorCells(c),
      ]),
    ),
  };
}

/** Alignment of languages by layer, of each run. */
function alignmentLevels({ alignment }: Comparison): ReportTable {
  return {
    name: 'alignment-levels',
    title: 'Alignment of languages by layer',
    note: 'Means over pairs of languages, with 95 % jackknife intervals. A dash: cannot be computed.',
    headers: 4,
    columns: ['measure', 'run', 'languages', 'layer', 'unit', 'value', 'low', 'high'],
    rows: (alignment?.levels ?? []).map(({ measure, label, group, layer, value: { value, low, high } }) => [
      ALIGNMENT_WORDS[measure].name,
      label,
      group ?? 'all',
      layer ?? 'mean over layers',
      ALIGNMENT_WORDS[measure].unit,
      value,
      low,
      high,
    ]),
  };
}

/** What of it differs between runs, with floors and verdicts. */
function alignmentChanges({ alignment, splits }: Comparison): ReportTable {
  return {
    name: 'alignment-changes',
    title: 'Changes of alignment by layer',
    note: `Floors and across: 5 %, 50 % and 95 % of the absolute difference between random halves of the folds, ${splits} splits, at half size, which halves the candidates of retrieval too. A dash: cannot be computed.`,
    headers: 5,
    columns: [
      'measure',
      'languages',
      'layer',
      'from',
      'to',
      'value from',
      'value to',
      'change',
      'low',
      'high',
      ...['within from', 'within to', 'across'].map((name) => ({ name, parts: QUANTILES })),
      'share outside',
      'verdict',
      'share outside, seeds',
      'verdict, seeds',
      'note',
    ],
    rows: (alignment?.changes ?? []).map((c) => [
      ALIGNMENT_WORDS[c.measure].name,
      c.group ?? 'all',
      c.layer ?? 'mean over layers',
      c.from,
      c.to,
      alignmentLevel(alignment!, c.from, c).value,
      alignmentLevel(alignment!, c.to, c).value,
      c.change.value,
      c.change.low,
      c.change.high,
      c.withinFrom ?? NOTHING,
      c.withinTo ?? NOTHING,
      c.across ?? NOTHING,
      c.shareOutside,
      c.verdict,
      c.seeds.shareOutside,
      c.seeds.verdict,
      c.note,
    ]),
  };
}

/** Monotone trends over a trajectory. */
function trends({ units }: Comparison): ReportTable {
  return {
    name: 'trends',
    title: 'Trends over training',
    note: 'Mann–Kendall: S, Kendall’s τ, two-sided p. A dash: cannot be computed.',
    headers: 2,
    columns: ['measure', 'languages', 'values', 'S', 'τ', 'p', 'verdict', 'note'],
    rows: units.flatMap(({ type, trends: own }) =>
      own.map(({ measure, group, points, s, tau, p, verdict, note }) => [
        measureName({ type, measure }),
        group ?? 'all',
        points.length,
        s,
        tau,
        p,
        verdict,
        note,
      ]),
    ),
  };
}

/** T_k beside everything: languages differ in tokens a sentence. */
function tokens({ languages, runs, units }: Comparison): ReportTable {
  const counted = units.some(({ rate }) => rate === 'importance') ? 'matrices' : 'tokens';
  const counts = runs.map((run) =>
    languages.map(({ tag }) => {
      const own = run.languages.find((language) => language.tag === tag);
      return [presentOrNull(own?.prompts), presentOrNull(own?.tokens)] as const;
    }),
  );
  const alike = counts.every((of) => of.join() === counts[0]!.join());
  const shown = alike ? counts.slice(0, 1) : counts;
  return {
    name: 'tokens',
    title: counted === 'tokens' ? 'Tokens per language' : 'Matrices per language',
    note: `${counted === 'tokens' ? 'Prompts and counted tokens' : 'Imported matrices'}${alike && runs.length > 1 ? ', the same in every run' : ''}.`,
    headers: 2,
    columns: [
      'tag',
      'language',
      'script',
      'family',
      ...shown.flatMap((_, r) => {
        const of = alike ? '' : `${runs[r]!.label}: `;
        return [`${of}prompts`, `${of}${counted}`];
      }),
    ],
    rows: languages.map(({ tag, name, script, family }, k) => [
      tag,
      name,
      script,
      family,
      ...shown.flatMap((of) => of[k]!),
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

export function columnName(column: Column): string {
  return typeof column === 'string' ? column : `${column.name} ${column.parts.join(' · ')}`;
}

/** What a page shows of a cell. */
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

function presentOrNull(value: number | undefined): number | null {
  return value === undefined || Number.isNaN(value) ? null : value;
}
