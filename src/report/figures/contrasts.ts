import { type Comparison, type Contrast, findingDetail, pInWords } from '../../compare/index.js';
import { forestColumns, forestOf } from '../drawing/forest-columns.js';
import { floorEnd, floorFields, noteLines, rowLayout, sketchFields } from '../drawing/forest-rows.js';
import { shortLabels } from '../drawing/labels.js';
import { specification, tooltip } from '../drawing/specification.js';
import { byMeasure, contrastsOf, mainUnits, mainWords, referenceOf } from '../words/compared.js';
import {
  contrastSentence,
  differenceInWords,
  MEASURE_WORDS,
  measureName,
  standardiseFloor,
} from '../words/measures.js';
import { count, list, plural } from '../words/text.js';
import { defineFigure, sentences } from './figure.js';

const ROW = 36;
/** Drawn; the table has them all. */
const MOST_CONTRASTS = 1;
const LABEL_WIDTH = 215;
const GROUP_WIDTH = 92;
const CHANGE_WIDTH = 112;
/** Widths of rows in one line, in which the interval stands beside the difference. */
const DENSE = { change: 66, interval: 124 };
const SKETCH_WIDTH = 112;
const FLOOR_WIDTH = 162;
const FINDING_WIDTH = 220;
const FLOOR_END = { least: 8, most: 128 };

/** Differences in differences beside both floors, sampling and training seeds: one row a measure and group. */
export const contrasts = defineFigure({
  name: 'contrasts',
  short: 'Differences in differences',
  title: (comparison) => {
    const named = pairNames(contrastsOf(comparison, mainUnits(comparison)?.type)).slice(0, MOST_CONTRASTS);
    const words = mainWords(comparison);
    return `Differences in differences against ${referenceOf(comparison)}, ${words.many}${
      named.length === 0 ? '' : `: ${list(named)}`
    }`;
  },
  needs: (comparison) => {
    const all = contrastsOf(comparison, mainUnits(comparison)?.type);
    return all.length === 0
      ? 'not measured: it needs two runs beside the reference; of a trajectory, compare --contrast'
      : all;
  },
  build: (comparison, all) => {
    const shown = pairNames(all)
      .slice(0, MOST_CONTRASTS)
      .flatMap((pair) => shownOf(all, pair));
    const floors = shown.map((contrast) => ({
      sampling: contrast.test.finding === 'not measured' ? null : standardiseFloor(contrast, false),
      seeds: contrast.seeds.test.finding === 'not measured' ? null : standardiseFloor(contrast.seeds, false),
    }));
    const end = floorEnd(
      floors.flatMap(({ sampling, seeds }) => [sampling, seeds]),
      FLOOR_END,
    );
    const layout = rowLayout(
      shown.length,
      ROW,
      shown.flatMap(({ test, seeds }) => [test.note, notMeasured(seeds.test)]),
    );
    const groups = shown.map(({ group }) => group ?? 'all');
    const shortGroups = shortLabels(groups, GROUP_WIDTH / 11);
    const values = shown.map((contrast, row) => {
      const above = shown[row - 1];
      const opens = (other: Contrast | undefined) =>
        other?.measure !== contrast.measure || pairName(other) !== pairName(contrast);
      const first = opens(above);
      const { value, interval } = differenceInWords(contrast);
      // In dense rows the unit stands in the second row of a measure.
      const unitHere = layout.dense ? !first && (row < 2 || opens(shown[row - 2])) : first;
      return {
        row,
        first,
        measure: first ? measureName(contrast) : '',
        unit: unitHere ? MEASURE_WORDS[contrast.measure].unit : '',
        group: shortGroups[row]!,
        changeText: value,
        intervalText: interval,
        ...sketchFields(contrast.difference),
        ...floorFields('sampling', floors[row]!.sampling, end),
        ...floorFields('seeds', floors[row]!.seeds, end),
        finding: contrast.test.finding,
        detail: findingDetail(contrast.test),
        noteLines: noteLines(contrast.test.note),
        seedFinding: contrast.seeds.test.finding,
        seedDetail: contrast.seeds.test.adjusted === null ? '' : pInWords(contrast.seeds.test.adjusted),
        seedNoteLines: noteLines(notMeasured(contrast.seeds.test)),
        sentence: contrastSentence(contrast),
      };
    });
    const columns = forestColumns([...values.keys()], layout, tooltip({ sentence: 'measure' }));
    const spec = specification(
      forestOf(values, [
        columns.text('measure (unit)', LABEL_WIDTH, 'measure', 'unit'),
        columns.text('languages', GROUP_WIDTH, 'group'),
        ...(layout.dense
          ? [
              columns.text('difference', DENSE.change, 'changeText'),
              columns.text('95\u00a0% interval', DENSE.interval, 'intervalText'),
            ]
          : [columns.text(['difference', '95\u00a0% interval'], CHANGE_WIDTH, 'changeText', 'intervalText')]),
        columns.sketch(SKETCH_WIDTH, 'finding'),
        columns.floor(['between halves', '(floor = 1)'], FLOOR_WIDTH, 'sampling', 'finding', end),
        columns.finding('with other items', 'finding', 'detail', 'noteLines', FINDING_WIDTH),
        columns.floor(['between seeds', '(floor = 1)'], FLOOR_WIDTH, 'seeds', 'seedFinding', end),
        columns.finding('with another training', 'seedFinding', 'seedDetail', 'seedNoteLines', FINDING_WIDTH),
      ]),
    );
    return {
      spec,
      caption: caption(comparison, shown, pairNames(all).length - MOST_CONTRASTS),
      alt: `A table of ${plural(shown.length, 'row')}, one a measure and group of languages: the difference with its interval, its distance in units of both floors, both findings.`,
    };
  },
});

function pairName({ from, to }: Contrast): string {
  return `${to} − ${from}`;
}

function pairNames(contrasts_: readonly Contrast[]): string[] {
  return [...new Set(contrasts_.map(pairName))];
}

/** By measure; those that are not measured in any group would be empty rows. */
function shownOf(all: readonly Contrast[], pair: string): Contrast[] {
  const own = all.filter((contrast) => pairName(contrast) === pair);
  return byMeasure(own)
    .filter((rows) => rows.some(({ difference }) => difference.value !== null))
    .flat();
}

/** The reason why seeds were not tested; what a test supposes stands in the sentence alone. */
function notMeasured({ finding, note }: Contrast['seeds']['test']): string {
  return finding === 'not measured' ? note : '';
}

function caption(comparison: Comparison, shown: readonly Contrast[], left: number): string {
  const isChanged = ({ finding }: { readonly finding: string }) => finding === 'changed';
  const both = shown.filter(({ test, seeds }) => isChanged(test) && isChanged(seeds.test)).length;
  const changed = shown.filter(({ test }) => isChanged(test)).length;
  const seeded = shown.filter(({ seeds }) => seeds.test.finding !== 'not measured').length;
  const seeds = comparison.runs
    .map(({ label, seeds: more }) => ({ label, n: more.length + 1 }))
    .filter(({ n }) => n > 1);
  return sentences([
    `(to − reference) − (from − reference), each regime the mean over its training seeds; a measure that exists only between runs is taken against the reference. Of ${shown.length} rows ${count(changed)} changed with other items${
      seeded === 0
        ? '; with another training: not measured.'
        : `, ${count(both)} of them with another training too (${count(seeded)} measured, Welch’s t of the seeds).`
    }`,
    `Floors are for the eye alone. Of sampling: the same between random halves of the ${comparison.folds} folds, ${comparison.splits} splits, grey from its 5th percentile to the bound at 1; marks: median and 5–95\u00a0% across the regimes.`,
    seeds.length === 0
      ? 'Training seeds: one a regime.'
      : `Of seeds: the same between training seeds of one regime (${list(
          seeds.map(({ label, n }) => `${label} ${plural(n, 'seed')}`),
        )}), bound at the largest; marks: median, least and most over pairs of seeds across the regimes.`,
    'Intervals: 95\u00a0%, of means by the paired jackknife over folds, of counts, sets and ranks by the spread of halves.',
    left > 0 ? `${plural(left, 'more contrast')} in the table.` : '',
  ]);
}
