import { type Change, type Comparison, type QuantityKey, rowsOf } from '../../compare/index.js';
import { UNIT_WORDS } from '../words/measured-on.js';
import { MEASURE_WORDS, measureName } from '../words/measures.js';
import {
  type Cell,
  contrastNote,
  FLOOR_COLUMNS,
  floorCells,
  type ReportTable,
  TREND_COLUMNS,
  trendCells,
} from './report-table.js';

export function buildTables(comparison: Comparison): ReportTable[] {
  return [
    changes(comparison, 'headlines', 'Headline numbers', isOfUnits),
    parts(comparison),
    contrasts(comparison, 'contrast-numbers', 'Differences in differences in numbers', isOfUnits),
    levels(comparison),
    changes(comparison, 'alignment-changes', 'Changes of alignment by layer', isOfAlignment),
    contrasts(
      comparison,
      'alignment-contrasts',
      'Differences in differences of alignment by layer',
      isOfAlignment,
    ),
    trends(comparison, 'alignment-trends', 'Trends of alignment over training', isOfAlignment),
    trends(comparison, 'trends', 'Trends over training', isOfUnits),
    multiplicity(comparison),
    tokens(comparison),
    reliability(comparison),
  ].filter(({ rows }) => rows.length > 0);
}

/** Quantities of units over all layers and no single language. */
const isOfUnits = ({ type, layer, language }: QuantityKey) =>
  type !== null && layer === null && language === null;
const isOfAlignment = ({ type }: QuantityKey) => type === null;

const DASH = 'A dash: cannot be computed.';

/** The columns that say which quantity a row is of; alignment is given layer by layer. */
function keyColumns(of: (key: QuantityKey) => boolean): string[] {
  return of === isOfAlignment ? ['measure', 'languages', 'layer'] : ['measure', 'languages'];
}

function keyCells(key: QuantityKey): Cell[] {
  const cells = [measureName(key), key.group ?? 'all'];
  return key.type === null ? [...cells, key.layer ?? 'mean over layers'] : cells;
}

/** Every change with its interval, floors and verdict. */
function changes(
  comparison: Comparison,
  name: ReportTable['name'],
  title: string,
  of: (key: QuantityKey) => boolean,
): ReportTable {
  const key = keyColumns(of);
  return {
    name,
    title,
    note: `Floors and across: 5 %, 50 % and 95 % of the measure between random halves of the folds, ${comparison.splits} splits, at half size${of === isOfAlignment ? ', which halves the candidates of retrieval too' : ''}; differences are absolute. ${DASH}`,
    headers: key.length + 2,
    columns: [
      ...key,
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
    rows: comparison.changes
      .filter(of)
      .map((c) => [
        ...keyCells(c),
        c.from,
        c.to,
        MEASURE_WORDS[c.measure].unit,
        c.valueFrom,
        c.valueTo,
        c.change.value,
        c.change.low,
        c.change.high,
        ...floorCells(c),
      ]),
  };
}

/** Changes of single languages and single layers, in units and per cent. */
function parts(comparison: Comparison): ReportTable {
  const isPart = ({ type, layer, language }: QuantityKey) =>
    type !== null && (layer !== null || language !== null);
  return {
    name: 'parts',
    title: 'Changes by language and by layer',
    note: `Over all languages; a unit that belongs to several languages counts in each. Per cent of the value in the first run. ${DASH}`,
    headers: 5,
    columns: [
      'measure',
      'language',
      'layer',
      'from',
      'to',
      'value from',
      'value to',
      'change',
      'per cent',
      'low',
      'high',
      'share outside',
      'verdict',
    ],
    rows: comparison.changes
      .filter(isPart)
      .map((c) => [
        measureName(c),
        c.language ?? 'all',
        c.layer ?? 'all',
        c.from,
        c.to,
        c.valueFrom,
        c.valueTo,
        c.change.value,
        perCent(c),
        c.change.low,
        c.change.high,
        c.shareOutside,
        c.verdict,
      ]),
  };
}

/** The change as a percentage of what it is a change from; null where that is nothing. */
function perCent({ valueFrom, change }: Change): number | null {
  return valueFrom === null || valueFrom === 0 || change.value === null
    ? null
    : (100 * change.value) / valueFrom;
}

/** Every difference in differences with its interval, floors and verdicts. */
function contrasts(
  comparison: Comparison,
  name: ReportTable['name'],
  title: string,
  of: (key: QuantityKey) => boolean,
): ReportTable {
  const key = keyColumns(of);
  return {
    name,
    title,
    note: contrastNote(comparison.splits),
    headers: key.length + 2,
    columns: [...key, 'from', 'to', 'unit', 'difference', 'low', 'high', ...FLOOR_COLUMNS],
    rows: comparison.contrasts
      .filter(of)
      .map((c) => [
        ...keyCells(c),
        c.from,
        c.to,
        MEASURE_WORDS[c.measure].unit,
        c.difference.value,
        c.difference.low,
        c.difference.high,
        ...floorCells(c),
      ]),
  };
}

/** Alignment of languages by layer, of each run. */
function levels(comparison: Comparison): ReportTable {
  return {
    name: 'alignment-levels',
    title: 'Alignment of languages by layer',
    note: `Means over pairs of languages, with 95 % jackknife intervals. ${DASH}`,
    headers: 4,
    columns: ['measure', 'languages', 'layer', 'run', 'unit', 'value', 'low', 'high'],
    rows: rowsOf(comparison.levels, { type: null }).map(({ label, value: { value, low, high }, ...key }) => [
      ...keyCells(key),
      label,
      MEASURE_WORDS[key.measure].unit,
      value,
      low,
      high,
    ]),
  };
}

/** Monotone trends over a trajectory. */
function trends(
  comparison: Comparison,
  name: ReportTable['name'],
  title: string,
  of: (key: QuantityKey) => boolean,
): ReportTable {
  const key = keyColumns(of);
  return {
    name,
    title,
    note: `Mann–Kendall: S, Kendall’s τ, two-sided p. ${DASH}`,
    headers: key.length,
    columns: [...key, ...TREND_COLUMNS],
    rows: comparison.trends.filter(of).map((trend) => [...keyCells(trend), ...trendCells(trend)]),
  };
}

/** How many languages the selected units of each run belong to. */
function multiplicity({ units, languages }: Comparison): ReportTable {
  return {
    name: 'multiplicity',
    title: 'Languages that a selected unit belongs to',
    note: 'Selected units under the reference’s cut that belong to 1, 2, … languages.',
    headers: 2,
    columns: ['units', 'run', ...languages.map((_, k) => `${k + 1}`)],
    rows: units.flatMap(({ type, policy, profiles }) =>
      (policy.entropyCut === null ? [] : profiles).map(({ label, multiplicity: own }) => [
        UNIT_WORDS[type].many,
        label,
        ...own,
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
