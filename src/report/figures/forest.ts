import { type Comparison, type Headline, VERDICTS } from '../../compare/index.js';
import type { UnitType } from '../../store/index.js';
import { forestColumns, forestOf } from '../drawing/forest-columns.js';
import { arrange, axisEnd, forestRow, RUN_WIDTH, rowHeight, withoutRepeats } from '../drawing/forest-rows.js';
import { count, list } from '../words/text.js';
import {
  type AbsentFigure,
  type Figure,
  measuredOn,
  runsInWords,
  specification,
  UNIT_WORDS,
} from './figure.js';

const ROW = 40;
const LABEL_WIDTH = 200;
const CHANGE_WIDTH = 108;
const SKETCH_WIDTH = 110;
const FLOOR_WIDTH = 215;

const NAMES = { neuron: 'forest', head: 'forest-heads', expert: 'forest-experts' } as const;

/** Of one unit type. */
export function forest(type: UnitType) {
  return (comparison: Comparison): Figure | AbsentFigure => forestOfType(comparison, type);
}

/**
 * The headline changes against the reference. Measures have different units, so the plotted axis is the one they share:
 * how far apart halves of the two runs lie, in units of how far apart halves of one run lie. The change itself, with its
 * interval and unit, stands beside it in words and as a sketch around zero.
 */
function forestOfType(comparison: Comparison, type: UnitType): Figure | AbsentFigure {
  const name = NAMES[type];
  const { many } = UNIT_WORDS[type];
  const title = `Changes of ${many} beside what sampling alone does: ${runsInWords(comparison)}`;
  const units = comparison.units.find((one) => one.type === type);
  if (units === undefined) return { name, title, reason: `not measured: the runs record no ${many}` };
  const headlines = arrange(units);
  if (headlines.length === 0) return { name, title, reason: 'not measured: it needs two runs' };
  const several = comparison.runs.length > 2;
  const end = axisEnd(headlines);
  const drawn = withoutRepeats(headlines);
  const values = drawn.map((headline, row) => forestRow(headline, row, drawn[row - 1], end));
  const tooltip = [
    { field: 'measure', title: 'measure' },
    { field: 'runs', title: 'runs' },
    { field: 'changeText', title: 'change' },
    { field: 'intervalText', title: '95\u00a0% interval' },
    { field: 'outside', title: 'split halves beyond the floor' },
    { field: 'verdict', title: 'verdict' },
    { field: 'note', title: 'note' },
  ];
  const columns = forestColumns(
    values.map(({ row }) => row),
    rowHeight(
      ROW,
      values.map((value) => value.noteLines),
    ),
    tooltip,
  );
  const spec = specification(
    forestOf(values, [
      columns.text('measure (unit)', LABEL_WIDTH, 'measure', 'unit'),
      several
        ? columns.text(['run', 'the measure in each'], RUN_WIDTH, 'runs', 'sides', false)
        : columns.text('in each run', RUN_WIDTH, 'sides'),
      columns.text(['change or measure', '95\u00a0% interval'], CHANGE_WIDTH, 'changeText', 'intervalText'),
      columns.sketch(SKETCH_WIDTH, 'verdict'),
      columns.floor(
        ['distance between halves (floor = 1)', 'grey: within a run · mark: across runs'],
        FLOOR_WIDTH,
        'sampling',
        'verdict',
        end,
      ),
      columns.verdict('verdict', 'verdict', 'outside', 'noteLines'),
    ]),
  );
  return { name, title, subtitle: measuredOn(comparison), caption: caption(comparison, headlines), spec };
}

function caption(comparison: Comparison, headlines: readonly Headline[]): string {
  const named = (verdict: Headline['verdict']) => headlines.filter((h) => h.verdict === verdict).length;
  const counts = VERDICTS.filter((verdict) => named(verdict) > 0).map(
    (verdict) => `${count(named(verdict))} ${verdict}`,
  );
  const notes = [...new Set(headlines.map(({ note }) => note).filter((note) => note !== ''))];
  return [
    `Of ${headlines.length} headline measures: ${list(counts)}.`,
    `Noise floor: the measure between two random halves of one run’s ${comparison.folds} folds, ${comparison.splits} splits; grey from its 5th percentile to the bound at 1 (the larger 95th percentile of the two runs). Marks: median and 5–95\u00a0% of the measure between a half of one run and the other half of the other. A similarity s enters as 1\u00a0−\u00a0s.`,
    notes.length === 0 ? '' : `Not measured: ${notes.join('; ')}.`,
    'Called changed only where at least 95\u00a0% of the split halves lie beyond the bound.',
    'Intervals: 95\u00a0%, paired delete-one-fold jackknife.',
  ]
    .filter((part) => part !== '')
    .join(' ');
}
