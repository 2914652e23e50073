import type { Comparison } from '../../compare/index.js';
import { ALIGNMENT_WORDS, alignmentLevel } from '../words/alignment-words.js';
import {
  contrastNote,
  FLOOR_COLUMNS,
  floorCells,
  type ReportTable,
  TREND_COLUMNS,
  trendCells,
} from './report-table.js';

/** What is said of the alignment of languages on the residual stream; without rows where it was not measured. */
export function alignmentTables(comparison: Comparison): ReportTable[] {
  return [levels(comparison), changes(comparison), contrasts(comparison), trends(comparison)];
}

/** Alignment of languages by layer, of each run. */
function levels({ alignment }: Comparison): ReportTable {
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
function changes({ alignment, splits }: Comparison): ReportTable {
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
      ...FLOOR_COLUMNS,
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
      ...floorCells(c),
    ]),
  };
}

/** What of it differs further from the reference in one run than in another, with floors and verdicts. */
function contrasts({ alignment, splits }: Comparison): ReportTable {
  return {
    name: 'alignment-contrasts',
    title: 'Differences in differences of alignment by layer',
    note: contrastNote(splits),
    headers: 5,
    columns: ['measure', 'languages', 'layer', 'from', 'to', 'difference', 'low', 'high', ...FLOOR_COLUMNS],
    rows: (alignment?.contrasts ?? []).map((c) => [
      ALIGNMENT_WORDS[c.measure].name,
      c.group ?? 'all',
      c.layer ?? 'mean over layers',
      c.from,
      c.to,
      c.difference.value,
      c.difference.low,
      c.difference.high,
      ...floorCells(c),
    ]),
  };
}

/** Its monotone trends over a trajectory. */
function trends({ alignment }: Comparison): ReportTable {
  return {
    name: 'alignment-trends',
    title: 'Trends of alignment over training',
    note: 'Mann–Kendall: S, Kendall’s τ, two-sided p. A dash: cannot be computed.',
    headers: 3,
    columns: ['measure', 'languages', 'layer', ...TREND_COLUMNS],
    rows: (alignment?.trends ?? []).map((trend) => [
      ALIGNMENT_WORDS[trend.measure].name,
      trend.group ?? 'all',
      trend.layer ?? 'mean over layers',
      ...trendCells(trend),
    ]),
  };
}
