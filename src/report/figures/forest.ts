import type { Comparison, Headline } from '../../compare/types.js';
import {
  type AbsentFigure,
  type Figure,
  measuredOn,
  runsInWords,
  specification,
  UNIT_WORDS,
} from '../figure.js';
import {
  changeInWords,
  intervalInWords,
  isSigned,
  MEASURE_WORDS,
  sidesInWords,
  standardise,
} from '../measures.js';
import { count, ellipsize, list, percent } from '../text.js';
import { INK_SOFT, VERDICT_COLOURS } from '../theme.js';

const ROW = 36;
/** Ends of the axis in units of the noise floor; what lies beyond is drawn at the end, with an arrow. */
const FLOOR_RANGE = [1 / 8, 32] as const;
const GAP = 12;
const LABEL_WIDTH = 200;
const RUN_WIDTH = 118;
const CHANGE_WIDTH = 108;
const SKETCH_WIDTH = 110;
const FLOOR_WIDTH = 215;
const VERDICT_WIDTH = 220;

const VERDICTS = ['changed', 'not distinguishable from sampling', 'not measured'] as const;
const SHAPES = ['circle', 'diamond', 'cross'];

/**
 * The headline changes. Measures have different units, so the plotted axis is the one they share: how far apart halves
 * of the two runs lie, in units of how far apart halves of one run lie. The change itself, with its interval and unit,
 * stands beside it in words and as a sketch around zero.
 */
export function forest(comparison: Comparison): Figure | AbsentFigure {
  const name = 'forest';
  const title = `Changes beside what sampling alone does: ${runsInWords(comparison)}`;
  const headlines = arrange(comparison);
  if (headlines.length === 0) return { name, title, reason: 'not measured: it needs two runs' };
  const several = comparison.runs.length > 2;
  const values = headlines.map((headline, row) => rowOf(headline, row, headlines[row - 1]));
  const rows = values.map(({ row }) => row);
  const y = { field: 'row', type: 'ordinal', scale: { domain: rows, padding: 0 }, axis: null };
  const height = { step: several ? ROW - 4 : ROW };
  const heading = (text: string | string[]) => ({
    title: { text, fontSize: 11, fontWeight: 'normal', color: INK_SOFT, anchor: 'start', offset: 8 },
  });
  // Reaches over the gap to the next column, so that a row is one line to the eye.
  const stripes = (width: number) => ({
    transform: [{ filter: 'datum.first' }],
    mark: { type: 'rule', color: '#d0d7de', strokeWidth: 1, yOffset: -height.step / 2 },
    encoding: { y, x: { value: 0 }, x2: { value: width + GAP } },
  });
  const words = (field: string, dy: number, style: object = {}) => ({
    mark: { type: 'text', align: 'left', baseline: 'middle', dy, fontSize: 11, ...style },
    encoding: { y, x: { value: 0 }, text: { field } },
  });
  const colour = {
    field: 'verdict',
    type: 'nominal',
    scale: { domain: VERDICTS, range: VERDICTS.map((verdict) => VERDICT_COLOURS[verdict]) },
    legend: null,
  };
  const shape = {
    field: 'verdict',
    type: 'nominal',
    scale: { domain: VERDICTS, range: SHAPES },
    legend: null,
  };
  const floorScale = { type: 'log', base: 2, domain: FLOOR_RANGE, nice: false };
  const floorAxis = {
    orient: 'top',
    title: null,
    values: [0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32],
    labelExpr: "datum.value < 1 ? '1/' + format(1 / datum.value, 'd') : format(datum.value, 'd')",
    domain: false,
    ticks: false,
    grid: true,
  };
  const ratio = (field: string) => ({ field, type: 'quantitative', scale: floorScale, axis: floorAxis });
  const tooltip = [
    { field: 'measure', title: 'measure' },
    { field: 'runs', title: 'runs' },
    { field: 'changeText', title: 'change' },
    { field: 'intervalText', title: '95\u00a0% interval' },
    { field: 'outside', title: 'split halves beyond the floor' },
    { field: 'verdict', title: 'verdict' },
    { field: 'note', title: 'note' },
  ];
  const sketch = { domain: [-1, 1], nice: false };
  const spec = specification({
    data: { values },
    hconcat: [
      {
        ...heading('measure (unit)'),
        width: LABEL_WIDTH,
        height,
        layer: [
          stripes(LABEL_WIDTH),
          words('measure', -7, { fontWeight: 'bold' }),
          words('unit', 8, { color: INK_SOFT }),
        ],
      },
      {
        ...heading(several ? 'run, and the measure in each' : 'in each run'),
        width: RUN_WIDTH,
        height,
        layer: several
          ? [stripes(RUN_WIDTH), words('runs', -7), words('sides', 8, { color: INK_SOFT })]
          : [stripes(RUN_WIDTH), words('sides', 0)],
      },
      {
        ...heading(['change or measure', '95\u00a0% interval']),
        width: CHANGE_WIDTH,
        height,
        layer: [
          stripes(CHANGE_WIDTH),
          words('changeText', -7, { fontWeight: 'bold' }),
          words('intervalText', 8, { color: INK_SOFT }),
        ],
      },
      {
        ...heading(['lower ← 0 → higher', 'each row its own scale']),
        width: SKETCH_WIDTH,
        height,
        layer: [
          stripes(SKETCH_WIDTH),
          {
            mark: { type: 'rule', color: '#8c959f' },
            data: { values: [{ zero: 0 }] },
            encoding: { x: { field: 'zero', type: 'quantitative', scale: sketch, axis: null } },
          },
          {
            transform: [{ filter: 'isValid(datum.sketch)' }],
            mark: { type: 'rule', strokeWidth: 2 },
            encoding: {
              y,
              x: { field: 'sketchLow', type: 'quantitative', scale: sketch, axis: null },
              x2: { field: 'sketchHigh' },
              color: colour,
            },
          },
          {
            transform: [{ filter: 'isValid(datum.sketch)' }],
            mark: { type: 'point', filled: true, opacity: 1, size: 55 },
            encoding: {
              y,
              x: { field: 'sketch', type: 'quantitative', scale: sketch, axis: null },
              color: colour,
              shape,
              tooltip,
            },
          },
        ],
      },
      {
        ...heading(['distance between halves (floor = 1)', 'grey: within a run · mark: across runs']),
        width: FLOOR_WIDTH,
        height,
        layer: [
          stripes(FLOOR_WIDTH),
          {
            transform: [{ filter: 'isValid(datum.across)' }],
            mark: { type: 'bar', color: '#c9d1d9', height: 16 },
            encoding: { y, x: ratio('withinLow'), x2: { field: 'withinHigh' } },
          },
          {
            mark: { type: 'rule', color: '#57606a', strokeWidth: 1.2 },
            encoding: { x: ratio('floor') },
            data: { values: [{ floor: 1 }] },
          },
          {
            transform: [{ filter: 'isValid(datum.across)' }],
            mark: { type: 'rule', strokeWidth: 2.4 },
            encoding: { y, x: ratio('acrossLow'), x2: { field: 'acrossHigh' }, color: colour },
          },
          {
            transform: [{ filter: 'isValid(datum.across)' }],
            mark: { type: 'point', filled: true, opacity: 1, size: 80, stroke: 'white', strokeWidth: 0.8 },
            encoding: { y, x: ratio('across'), color: colour, shape, tooltip },
          },
          {
            transform: [{ filter: 'datum.beyond' }],
            mark: { type: 'text', text: '▸', align: 'left', dx: 4, fontSize: 14 },
            encoding: { y, x: { value: FLOOR_WIDTH }, color: colour },
          },
        ],
      },
      {
        ...heading('verdict'),
        width: VERDICT_WIDTH,
        height,
        layer: [
          stripes(VERDICT_WIDTH - GAP),
          {
            mark: { type: 'point', filled: true, opacity: 1, size: 80 },
            encoding: { y, x: { value: 6 }, color: colour, shape },
          },
          {
            mark: {
              type: 'text',
              align: 'left',
              baseline: 'middle',
              dy: -7,
              fontSize: 11,
              fontWeight: 'bold',
            },
            encoding: { y, x: { value: 17 }, text: { field: 'verdict' }, color: colour },
          },
          {
            mark: {
              type: 'text',
              align: 'left',
              baseline: 'middle',
              dy: 8,
              fontSize: 11,
              color: INK_SOFT,
              limit: VERDICT_WIDTH,
            },
            encoding: { y, x: { value: 17 }, text: { field: 'outsideText' } },
          },
        ],
      },
    ],
    // The rules between rows reach over the gap: it is inside the columns.
    spacing: 0,
    resolve: { scale: { y: 'independent', x: 'independent', color: 'independent', shape: 'independent' } },
  });
  return { name, title, subtitle: measuredOn(comparison), caption: caption(comparison, headlines), spec };
}

/** By unit type, then measure, then run, so that runs stand under each other. */
function arrange(comparison: Comparison): Headline[] {
  return comparison.units.flatMap(({ headlines }) => {
    const measures = [...new Set(headlines.map(({ measure }) => measure))];
    return measures.flatMap((measure) => headlines.filter((headline) => headline.measure === measure));
  });
}

function rowOf(headline: Headline, row: number, above: Headline | undefined) {
  const { type, measure, verdict, shareOutside, note, label, change } = headline;
  const first = above?.measure !== measure || above.type !== type;
  const floor = standardise(headline);
  const clamp = (value: number) => Math.min(FLOOR_RANGE[1], Math.max(FLOOR_RANGE[0], value));
  const signedChange = headline.reference !== null && change.value !== null;
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
    runs: ellipsize(label, RUN_WIDTH / 11),
    sides: isSigned(headline) ? sidesInWords(headline) : 'between the two',
    changeText: changeInWords(headline),
    intervalText: intervalInWords(headline),
    sketch: scaled(change.value),
    sketchLow: scaled(change.low ?? change.value),
    sketchHigh: scaled(change.high ?? change.value),
    withinLow: floor === null ? null : clamp(floor.within[0]),
    withinHigh: floor === null ? null : clamp(floor.within[1]),
    across: floor === null ? null : clamp(floor.across[1]),
    acrossLow: floor === null ? null : clamp(floor.across[0]),
    acrossHigh: floor === null ? null : clamp(floor.across[2]),
    beyond: floor !== null && floor.across[2] > FLOOR_RANGE[1],
    verdict,
    outside,
    outsideText: verdict === 'not measured' ? note : outside,
    note,
  };
}

function caption(comparison: Comparison, headlines: readonly Headline[]): string {
  const named = (verdict: Headline['verdict']) => headlines.filter((h) => h.verdict === verdict).length;
  const counts = VERDICTS.filter((verdict) => named(verdict) > 0).map(
    (verdict) => `${count(named(verdict))} ${verdict}`,
  );
  return [
    `Of ${headlines.length} headline measures: ${list(counts)}.`,
    `Noise floor: the measure between two random halves of one run’s ${comparison.folds} folds, ${comparison.splits} splits; grey from its 5th percentile to the bound at 1 (the larger 95th percentile of the two runs). Marks: median and 5–95\u00a0% of the measure between a half of one run and the other half of the other. A similarity s enters as 1 − s.`,
    'Called changed only where at least 95\u00a0% of the split halves lie beyond the bound.',
    'Intervals: 95\u00a0%, paired delete-one-fold jackknife.',
  ].join(' ');
}
