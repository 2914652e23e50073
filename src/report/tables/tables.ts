import type { Comparison } from '../../compare/index.js';
import { UNIT_WORDS } from '../words/measured-on.js';
import { MEASURE_WORDS, measureName } from '../words/measures.js';
import { alignmentTables } from './alignment-tables.js';
import {
  contrastNote,
  FLOOR_COLUMNS,
  floorCells,
  type ReportTable,
  TREND_COLUMNS,
  trendCells,
} from './report-table.js';

export function buildTables(comparison: Comparison): ReportTable[] {
  return [
    headlines(comparison),
    contrasts(comparison),
    ...alignmentTables(comparison),
    trends(comparison),
    tokens(comparison),
    reliability(comparison),
  ].filter(({ rows }) => rows.length > 0);
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
    note: contrastNote(splits),
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

/** Monotone trends over a trajectory. */
function trends({ units }: Comparison): ReportTable {
  return {
    name: 'trends',
    title: 'Trends over training',
    note: 'Mann–Kendall: S, Kendall’s τ, two-sided p. A dash: cannot be computed.',
    headers: 2,
    columns: ['measure', 'languages', ...TREND_COLUMNS],
    rows: units.flatMap(({ type, trends: own }) =>
      own.map((trend) => [
        measureName({ type, measure: trend.measure }),
        trend.group ?? 'all',
        ...trendCells(trend),
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
      return [own?.prompts ?? null, own?.tokens ?? null] as const;
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
