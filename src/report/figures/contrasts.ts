import type { Comparison, Contrast } from '../../compare/index.js';
import { forestColumns, forestOf } from '../drawing/forest-columns.js';
import { floorFields, noteLines, rowHeight } from '../drawing/forest-rows.js';
import {
  contrastSentence,
  differenceInWords,
  MEASURE_WORDS,
  measureName,
  type Standardised,
  standardiseFloor,
} from '../words/measures.js';
import { count, ellipsize, list, percent, plural } from '../words/text.js';
import {
  type AbsentFigure,
  type Figure,
  mainUnits,
  measuredOn,
  specification,
  UNIT_WORDS,
} from './figure.js';

const ROW = 36;
/** Drawn; the table has them all. */
const MOST_CONTRASTS = 1;
const LABEL_WIDTH = 215;
const GROUP_WIDTH = 92;
const CHANGE_WIDTH = 112;
const SKETCH_WIDTH = 112;
const FLOOR_WIDTH = 162;
const SEED_VERDICT_WIDTH = 262;
const FLOOR_END = { least: 8, most: 128 };

/** Differences in differences beside both floors, sampling and training seeds: one row a measure and group. */
export function contrasts(comparison: Comparison): Figure | AbsentFigure {
  const name = 'contrasts';
  const units = mainUnits(comparison);
  const words = UNIT_WORDS[units?.type ?? 'neuron'];
  const all = units?.contrasts ?? [];
  const named = [...new Set(all.map(pairName))];
  const reference = comparison.runs[0]?.label ?? '';
  const title = `Differences in differences against ${reference}, ${words.many}${
    named.length === 0 ? '' : `: ${list(named.slice(0, MOST_CONTRASTS))}`
  }`;
  if (all.length === 0)
    return {
      name,
      title,
      reason: 'not measured: it needs two runs beside the reference; of a trajectory, compare --contrast',
    };
  const shown = named.slice(0, MOST_CONTRASTS).flatMap((pair) => {
    const own = all.filter((contrast) => pairName(contrast) === pair);
    const measures = [...new Set(own.map(({ measure }) => measure))];
    // Measures that are not measured in any group would be empty rows.
    return measures
      .map((measure) => own.filter((contrast) => contrast.measure === measure))
      .filter((rows) => rows.some(({ difference }) => difference.value !== null))
      .flat();
  });
  const floors = shown.map((contrast) => ({
    sampling: measured(contrast),
    seeds: contrast.seeds.verdict === 'not measured' ? null : standardiseFloor(contrast.seeds, false),
  }));
  const end = floorEnd(floors.flatMap(({ sampling, seeds }) => [sampling, seeds]));
  const values = shown.map((contrast, row) => {
    const above = shown[row - 1];
    const first = above?.measure !== contrast.measure || pairName(above) !== pairName(contrast);
    const { value, low, high } = contrast.difference;
    const reach = Math.max(...[value, low, high].map((x) => Math.abs(x ?? 0))) * 1.08;
    const scaled = (x: number | null) => (x === null || value === null ? null : reach === 0 ? 0 : x / reach);
    const text = differenceInWords(contrast);
    return {
      row,
      first,
      measure: first ? measureName(contrast) : '',
      unit: first ? MEASURE_WORDS[contrast.measure].unit : '',
      group: ellipsize(contrast.group ?? 'all', GROUP_WIDTH / 11),
      pair: ellipsize(pairName(contrast), GROUP_WIDTH / 10),
      changeText: text.value,
      intervalText: text.interval,
      sketch: scaled(value),
      sketchLow: scaled(low ?? value),
      sketchHigh: scaled(high ?? value),
      ...floorFields('sampling', floors[row]!.sampling, end),
      ...floorFields('seeds', floors[row]!.seeds, end),
      verdict: contrast.verdict,
      outside:
        contrast.shareOutside === null ? '' : `${percent(contrast.shareOutside)} of split halves beyond`,
      noteLines: noteLines(contrast.note),
      seedVerdict: contrast.seeds.verdict,
      seedOutside:
        contrast.seeds.shareOutside === null
          ? ''
          : `${percent(contrast.seeds.shareOutside)} of pairs of seeds beyond`,
      seedNoteLines: noteLines(contrast.seeds.note),
      sentence: contrastSentence(contrast),
    };
  });
  const columns = forestColumns(
    values.map(({ row }) => row),
    rowHeight(
      ROW,
      values.flatMap((value) => [value.noteLines, value.seedNoteLines]),
    ),
    [{ field: 'sentence', title: 'measure' }],
  );
  const spec = specification(
    forestOf(values, [
      columns.text('measure (unit)', LABEL_WIDTH, 'measure', 'unit'),
      columns.text('languages', GROUP_WIDTH, 'group', 'pair'),
      columns.text(['difference', '95\u00a0% interval'], CHANGE_WIDTH, 'changeText', 'intervalText'),
      columns.sketch(SKETCH_WIDTH, 'verdict'),
      columns.floor(['beside sampling', '(floor = 1)'], FLOOR_WIDTH, 'sampling', 'verdict', end),
      columns.verdict('sampling', 'verdict', 'outside', 'noteLines'),
      columns.floor(['beside training seeds', '(floor = 1)'], FLOOR_WIDTH, 'seeds', 'seedVerdict', end),
      columns.verdict('training seeds', 'seedVerdict', 'seedOutside', 'seedNoteLines', SEED_VERDICT_WIDTH),
    ]),
  );
  return { name, title, subtitle: measuredOn(comparison), caption: caption(comparison, shown, named), spec };
}

function pairName({ from, to }: Contrast): string {
  return `${to} − ${from}`;
}

function measured(contrast: Contrast): Standardised | null {
  return contrast.verdict === 'not measured' ? null : standardiseFloor(contrast, false);
}

/** The power of two that all rows fit below. */
function floorEnd(floors: readonly (Standardised | null)[]): number {
  const largest = Math.max(
    FLOOR_END.least,
    ...floors.map((floor) => floor?.across[2] ?? 0).filter(Number.isFinite),
  );
  return Math.min(FLOOR_END.most, 2 ** Math.ceil(Math.log2(largest)));
}

function caption(comparison: Comparison, shown: readonly Contrast[], named: readonly string[]): string {
  const both = shown.filter((c) => c.verdict === 'changed' && c.seeds.verdict === 'changed').length;
  const sampling = shown.filter((c) => c.verdict === 'changed').length;
  const seeded = shown.filter((c) => c.seeds.verdict !== 'not measured').length;
  const seeds = comparison.runs
    .map(({ label, seeds: more }) => ({ label, n: more.length + 1 }))
    .filter(({ n }) => n > 1);
  const left = named.length - MOST_CONTRASTS;
  return [
    `(to − reference) − (from − reference), each regime the mean over its training seeds; a measure that exists only between runs is taken against the reference. Of ${shown.length} rows ${count(sampling)} changed beside sampling${
      seeded === 0
        ? '; beside training seeds: not measured.'
        : `, ${count(both)} of them changed beside training seeds too (${count(seeded)} measured).`
    }`,
    `Sampling floor: the same between random halves of the ${comparison.folds} folds, ${comparison.splits} splits, grey from its 5th percentile to the bound at 1; marks: median and 5–95\u00a0% across the regimes.`,
    seeds.length === 0
      ? 'Training seeds: one a regime.'
      : `Seed floor: the same between training seeds of one regime (${list(
          seeds.map(({ label, n }) => `${label} ${plural(n, 'seed')}`),
        )}), bound at the largest; marks: median, least and most over pairs of seeds across the regimes.`,
    'Intervals: 95\u00a0%, paired delete-one-fold jackknife.',
    left > 0 ? `${plural(left, 'more contrast')} in the table.` : '',
  ]
    .filter((part) => part !== '')
    .join(' ');
}
