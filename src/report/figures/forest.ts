import {
  type Change,
  type Comparison,
  FINDINGS,
  findingDetail,
  findingInWords,
} from '../../compare/index.js';
import type { UnitType } from '../../store/index.js';
import { forestColumns, forestOf } from '../drawing/forest-columns.js';
import { floorEnd, floorFields, noteLines, rowLayout, sketchFields } from '../drawing/forest-rows.js';
import { shortLabels } from '../drawing/labels.js';
import { specification, tooltip } from '../drawing/specification.js';
import { byMeasure, changesOf, referenceOf } from '../words/compared.js';
import { runsInWords, UNIT_WORDS } from '../words/measured-on.js';
import {
  changeInWords,
  intervalInWords,
  isSigned,
  MEASURE_WORDS,
  measureName,
  perCentInWords,
  sidesInWords,
  standardise,
} from '../words/measures.js';
import { count, list } from '../words/text.js';
import { defineFigure, type FigureDefinition, sentences } from './figure.js';

const ROW = 40;
const LABEL_WIDTH = 200;
const RUN_WIDTH = 118;
const CHANGE_WIDTH = 108;
/** Widths of rows in one line, in which the interval stands beside the change. */
const DENSE = { run: 138, change: 66, interval: 124 };
const SKETCH_WIDTH = 110;
const FLOOR_WIDTH = 215;
const FLOOR_END = { least: 8, most: 512 };

/**
 * The headline changes of one unit type against the reference. Measures have different units, so the plotted axis is the
 * one they share: how far apart halves of the two runs lie, in units of how far apart halves of one run lie. The change
 * itself, with its interval and unit, stands beside it in words and as a sketch around zero.
 */
export function forest<const Name extends string>(
  type: UnitType,
  name: Name,
  concerns?: (comparison: Comparison) => boolean,
): FigureDefinition<Name> {
  const { many } = UNIT_WORDS[type];
  return defineFigure({
    name,
    short: `Changes of ${many}`,
    title: (comparison) => `Changes of ${many} with intervals and tests: ${runsInWords(comparison)}`,
    concerns,
    needs: (comparison) => {
      const recorded = comparison.units.some((units) => units.type === type);
      if (!recorded) return `not measured: the runs record no ${many}`;
      const headlines = changesOf(comparison, type, { group: null, from: referenceOf(comparison) });
      return headlines.length === 0 ? 'not measured: it needs two runs' : headlines;
    },
    build: (comparison, headlines) => {
      const rows = forestRows(headlines);
      const layout = rowLayout(
        rows.length,
        ROW,
        rows.map(({ note }) => note),
      );
      // In dense rows the unit stands in the second row of a measure.
      const below = (i: number) => (rows[i]!.first ? '' : rows[i - 1]!.unit);
      const values = layout.dense ? rows.map((row, i) => ({ ...row, unit: below(i) })) : rows;
      const columns = forestColumns([...values.keys()], layout, TOOLTIP);
      const end = floorEnd(headlines.map(standardise), FLOOR_END);
      const spec = specification(
        forestOf(values, [
          columns.text('measure (unit)', LABEL_WIDTH, 'measure', 'unit'),
          ...(layout.dense
            ? [
                columns.text('run', DENSE.run, 'runs'),
                columns.text(['change or', 'measure'], DENSE.change, 'changeText'),
                columns.text('95\u00a0% interval', DENSE.interval, 'intervalText'),
              ]
            : [
                comparison.runs.length > 2
                  ? columns.text(['run', 'the measure in each'], RUN_WIDTH, 'runs', 'sides', false)
                  : columns.text('in each run', RUN_WIDTH, 'sides'),
                columns.text(
                  ['change or measure', '95\u00a0% interval'],
                  CHANGE_WIDTH,
                  'changeText',
                  'intervalText',
                ),
              ]),
          columns.sketch(SKETCH_WIDTH, 'finding'),
          columns.floor(
            ['distance between halves (floor = 1)', 'grey: within a run · mark: across runs'],
            FLOOR_WIDTH,
            'sampling',
            'finding',
            end,
          ),
          columns.finding('finding with other items', 'finding', 'detail', 'noteLines'),
        ]),
      );
      return {
        spec,
        caption: caption(comparison, headlines, layout.dense),
        alt: `A table of ${rows.length} rows, one a measure and run: the change with its interval, its distance in units of the noise floor, its finding.`,
      };
    },
  });
}

const TOOLTIP = tooltip({
  measure: 'measure',
  runs: 'runs',
  changeText: 'change',
  intervalText: '95\u00a0% interval',
  words: 'finding',
  note: 'note',
});

/** A row a headline; a measure that is not measured in any run is one row, if all that a row prints of them is the same. */
export function forestRows(headlines: readonly Change[]) {
  const end = floorEnd(headlines.map(standardise), FLOOR_END);
  const labels = [...new Set(headlines.map(({ to }) => to))];
  const short = shortLabels(labels, RUN_WIDTH / 11);
  const rows = byMeasure(headlines).flatMap((own) => {
    const printed = own.map((headline) => printedOf(headline, end));
    const [first] = printed;
    const alike = printed.every((row) => JSON.stringify(row) === JSON.stringify(first));
    if (own.length > 1 && alike && first!.finding === 'not measured') {
      return [{ ...first!, first: true, runs: `all ${own.length} runs` }];
    }
    return printed.map((row, i) => ({ ...row, first: i === 0, runs: short[labels.indexOf(own[i]!.to)]! }));
  });
  return rows.map((row, i) => ({
    ...row,
    row: i,
    measure: row.first ? row.measure : '',
    unit: row.first ? row.unit : '',
  }));
}

/** Everything that a row says of a headline, but its run. */
function printedOf(headline: Change, end: number) {
  const { measure, test, change } = headline;
  return {
    measure: measureName(headline),
    unit: MEASURE_WORDS[measure].unit,
    sides: sidesOf(headline),
    changeText: changeInWords(headline),
    intervalText: intervalInWords(headline),
    ...sketchFields(isSigned(headline) ? change : { value: null, low: null, high: null }),
    ...floorFields('sampling', standardise(headline), end),
    finding: test.finding,
    words: findingInWords(test),
    detail: [findingDetail(test), perCentInWords(headline)].filter((part) => part !== '').join(' · '),
    noteLines: noteLines(test.note),
    note: test.note,
  };
}

/** The measure in each run; of a measure that neither run has, nothing. */
function sidesOf(headline: Change): string {
  if (!isSigned(headline)) return 'between the two';
  const { valueFrom, valueTo } = headline;
  return valueFrom === null && valueTo === null ? '' : sidesInWords(headline);
}

function caption(comparison: Comparison, headlines: readonly Change[], dense: boolean): string {
  const named = (finding: string) => headlines.filter(({ test }) => test.finding === finding).length;
  const counts = FINDINGS.filter((finding) => named(finding) > 0).map(
    (finding) => `${count(named(finding))} ${finding}`,
  );
  const notes = [...new Set(headlines.map(({ test }) => test.note).filter((note) => note !== ''))];
  return sentences([
    `Of ${headlines.length} headline measures: ${list(counts)}.`,
    'Changed: the p of the test, corrected for all measures of two runs, is at most 0.05. Undecided: below stands the smallest true change found in 80\u00a0% of comparisons. Per cent: of the reference’s level.',
    `Noise floor, for the eye alone: the measure between two random halves of one run’s ${comparison.folds} folds, ${comparison.splits} splits; grey from its 5th percentile to the bound at 1 (the larger 95th percentile of the two runs). Marks: median and 5–95\u00a0% of the measure between a half of one run and the other half of the other. A similarity s enters as 1\u00a0−\u00a0s.`,
    notes.length === 0 ? '' : `Not measured: ${notes.join('; ')}.`,
    'Intervals: 95\u00a0%, of means by the paired jackknife over folds, of counts, sets and ranks by the spread of halves.',
    dense ? 'Values of each run, p and detectable changes are in the table of headline numbers.' : '',
  ]);
}
