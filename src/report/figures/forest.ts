import type { Comparison, Headline } from '../../compare/types.js';
import { type AbsentFigure, type Figure, measuredOn, runsInWords, specification } from '../figure.js';
import { count, list } from '../text.js';
import { INK_SOFT, VERDICT_COLOURS } from '../theme.js';
import {
  arrange,
  axisEnd,
  FLOOR_LOW,
  forestRow,
  powersOfTwo,
  RUN_WIDTH,
  TEXT_START,
  VERDICT_WIDTH,
} from './forest-rows.js';

const ROW = 40;
const GAP = 12;
const LABEL_WIDTH = 200;
const CHANGE_WIDTH = 108;
const SKETCH_WIDTH = 110;
const FLOOR_WIDTH = 215;

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
  const end = axisEnd(headlines);
  const values = headlines.map((headline, row) => forestRow(headline, row, headlines[row - 1], end));
  const rows = values.map(({ row }) => row);
  const y = { field: 'row', type: 'ordinal', scale: { domain: rows, padding: 0 }, axis: null };
  const height = { step: ROW };
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
  const [measured, unmeasured] = ["datum.verdict !== 'not measured'", "datum.verdict === 'not measured'"];
  const verdictText = (
    field: string,
    dy: number,
    filter: string,
    { coloured = false, ...style }: { coloured?: boolean } & Record<string, unknown> = {},
  ) => ({
    transform: [{ filter }],
    mark: { type: 'text', align: 'left', baseline: 'middle', dy, fontSize: 11, color: INK_SOFT, ...style },
    encoding: { y, x: { value: TEXT_START }, text: { field }, ...(coloured ? { color: colour } : {}) },
  });
  const floorScale = { type: 'log', base: 2, domain: [FLOOR_LOW, end], nice: false };
  const floorAxis = {
    orient: 'top',
    title: null,
    values: powersOfTwo(FLOOR_LOW, end),
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
          verdictText('verdict', -7, measured, { fontWeight: 'bold', coloured: true }),
          verdictText('outside', 8, measured),
          verdictText('verdict', -12, unmeasured, { fontWeight: 'bold', coloured: true }),
          verdictText('noteLines', 2, unmeasured, { fontSize: 10, lineHeight: 11, lineBreak: '\n' }),
        ],
      },
    ],
    // The rules between rows reach over the gap: it is inside the columns.
    spacing: 0,
    resolve: { scale: { y: 'independent', x: 'independent', color: 'independent', shape: 'independent' } },
  });
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
