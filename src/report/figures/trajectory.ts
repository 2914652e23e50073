import type { Comparison, TrendTest } from '../../compare/types.js';
import { ALIGNMENT_WORDS } from '../alignment-words.js';
import {
  type AbsentFigure,
  type Figure,
  headlineOf,
  mainUnits,
  measuredOn,
  runChannels,
  specification,
  UNIT_WORDS,
} from '../figure.js';
import { MEASURE_WORDS, measureName, panelTitle } from '../measures.js';
import { count, ellipsize, list, number, uncapital } from '../text.js';

const PANEL = { width: 260, height: 150 };
const COLUMNS = 3;

/** A trend, and the panel it stands in. */
interface Shown extends TrendTest {
  readonly name: string;
  readonly unit: string;
  readonly group: string | null;
}

/** Every measure against the training step, with its interval and the test of a monotone trend; a line a group. */
export function trajectory(comparison: Comparison): Figure | AbsentFigure {
  const name = 'trajectory';
  const units = mainUnits(comparison);
  const type = units?.type ?? 'neuron';
  const steps = comparison.runs.map(({ step }) => step).filter((step) => step !== null);
  const title = `${UNIT_WORDS[type].title} over ${steps.length} checkpoints of one training run`;
  const trends = [
    ...(units?.trends ?? []).map(
      (trend): Shown => ({
        ...trend,
        name: measureName({ type, measure: trend.measure }),
        unit: MEASURE_WORDS[trend.measure].unit,
      }),
    ),
    ...(comparison.alignment?.trends ?? []).flatMap((trend): Shown[] =>
      trend.layer === null ? [{ ...trend, ...ALIGNMENT_WORDS[trend.measure] }] : [],
    ),
  ].filter(({ points }) => points.some(({ value }) => value.value !== null));
  if (trends.length === 0) {
    return {
      name,
      title: `${UNIT_WORDS[type].title} over training`,
      reason: 'not measured: the runs are not compared as a trajectory (compare --trajectory)',
    };
  }
  const names = [...new Set(trends.map(({ name: of }) => of))];
  const scopes = ['all', ...comparison.groups.map((group) => group.name)];
  const { color, strokeDash, shape } = runChannels(scopes);
  const x = {
    field: 'step',
    type: 'quantitative',
    title: 'training step',
    // Of all steps in every panel: what exists only between runs has no value at the reference.
    scale: { domain: [Math.min(...steps), Math.max(...steps)], nice: false, padding: 8 },
    axis: { tickCount: 5, grid: false, format: ',d' },
  };
  const panel = (own: readonly Shown[]) => {
    const values = own.flatMap(({ group, points }) =>
      points.flatMap(({ step, value: { value, low, high } }) =>
        value === null
          ? []
          : [
              {
                run: group ?? 'all',
                marker: group ?? 'all',
                step,
                value,
                low: low ?? value,
                high: high ?? value,
              },
            ],
      ),
    );
    const whole = own.find(({ group }) => group === null);
    const y = {
      type: 'quantitative',
      title: null,
      scale: { zero: false },
      axis: { tickCount: 4 },
    };
    return {
      title: {
        ...panelTitle(own[0]!.name, [own[0]!.unit, ...(whole === undefined ? [] : testInWords(whole))]),
        frame: 'group',
        offset: 6,
      },
      data: { values },
      ...PANEL,
      layer: [
        {
          mark: { type: 'rule', strokeWidth: 1.4, opacity: 0.8 },
          encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
        },
        {
          mark: { type: 'line', strokeWidth: 1.8 },
          encoding: { x, y: { ...y, field: 'value' }, color, strokeDash },
        },
        {
          mark: { type: 'point', filled: true, opacity: 1, size: 40 },
          encoding: {
            x,
            y: { ...y, field: 'value' },
            color,
            shape,
            tooltip: [
              { field: 'run', title: 'languages' },
              { field: 'step', title: 'step' },
              { field: 'value', title: 'value' },
              { field: 'low', title: '95\u00a0% from' },
              { field: 'high', title: 'to' },
            ],
          },
        },
      ],
    };
  };
  const spec = specification({
    concat: names.map((of) => panel(trends.filter((trend) => trend.name === of))),
    columns: COLUMNS,
    // Flush, so that titles of a row are level whatever their axes.
    bounds: 'flush',
    spacing: { row: 112, column: 62 },
    resolve: {
      scale: { color: 'shared', strokeDash: 'shared', shape: 'shared', x: 'independent', y: 'independent' },
    },
  });
  const reference = comparison.runs[0]?.label ?? '';
  const last = [...comparison.runs].sort((a, b) => (a.step ?? 0) - (b.step ?? 0)).at(-1)?.label ?? '';
  const ends = [...new Set((units?.trends ?? []).map(({ measure }) => measure))].map((measure) => {
    const verdict = headlineOf(units, measure, last)?.verdict ?? 'not measured';
    return `${uncapital(measureName({ type, measure }))} ${verdict}`;
  });
  const groups = trends.filter(({ group }) => group !== null);
  const groupsChanged = groups.filter(({ verdict }) => verdict === 'changed');
  const caption = [
    `Steps ${list(steps.map((step) => count(step)))}. Bars: 95\u00a0% jackknife intervals over folds; a measure that exists only between runs is taken against ${reference}. Monotone trend, all languages: Mann–Kendall’s S as Kendall’s τ with its two-sided p, called changed if p < 0.05.`,
    groups.length === 0
      ? ''
      : `In groups: ${
          groupsChanged.length === 0
            ? ''
            : `changed ${groupsChanged.map((trend) => `${uncapital(trend.name)}, ${trend.group}`).join('; ')}; `
        }${groupsChanged.length === groups.length ? 'none else' : `${groups.length - groupsChanged.length} others not distinguishable from no trend or not measured`}.`,
    `${reference} against ${last}, beside sampling: ${ends.join('; ')}.`,
  ]
    .filter((part) => part !== '')
    .join(' ');
  return { name, title, subtitle: measuredOn(comparison), caption, spec };
}

/** In as many lines for every measure, so that panels are alike. */
function testInWords({ tau, p, verdict, note }: TrendTest): string[] {
  const numbers =
    tau === null || p === null ? [] : [`τ\u00a0=\u00a0${number(tau)}, p\u00a0=\u00a0${number(p)}`];
  const lines = [...numbers, note].filter((part) => part !== '');
  return [`trend: ${verdict}`, ellipsize(lines.join('; '), PANEL.width / 10)];
}
