import type { Comparison, Estimate, TrendTest } from '../../compare/index.js';
import { ALIGNMENT_WORDS } from '../words/alignment-words.js';
import { MEASURE_WORDS, measureName, panelTitle } from '../words/measures.js';
import { count, decimal, ellipsize, list, number, uncapital } from '../words/text.js';
import {
  type AbsentFigure,
  type Figure,
  headlineOf,
  mainUnits,
  measuredOn,
  runChannels,
  specification,
  UNIT_WORDS,
} from './figure.js';

const PANEL = { width: 260, height: 150 };
const COLUMNS = 3;

/** A trend, and the panel it stands in. */
interface Shown extends TrendTest {
  readonly name: string;
  readonly unit: string;
  readonly group: string | null;
  /** Of a measure that a run has by itself, to every run but the reference; of one between runs the points are it. */
  readonly changes: readonly Change[] | null;
}

interface Change {
  readonly to: string;
  readonly change: Estimate;
}

/**
 * Every measure against the training step, with its interval and the test of a monotone trend; a line a group. What a run
 * has by itself is drawn as its change against the reference: groups may lie so far apart that no change would be seen.
 */
export function trajectory(comparison: Comparison): Figure | AbsentFigure {
  const name = 'trajectory';
  const units = mainUnits(comparison);
  const type = units?.type ?? 'neuron';
  const steps = comparison.runs.map(({ step }) => step).filter((step) => step !== null);
  const title = `${UNIT_WORDS[type].title} over ${steps.length} checkpoints of one training run`;
  const reference = comparison.runs[0]?.label ?? '';
  const trends = shownTrends(comparison, reference).filter(({ points }) =>
    points.some(({ value }) => value.value !== null),
  );
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
    const values = own.flatMap((trend) => {
      const { group } = trend;
      return drawnPoints(trend, comparison).flatMap(({ step, value: { value, low, high } }) =>
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
      );
    });
    const whole = own.find(({ group }) => group === null);
    const y = {
      type: 'quantitative',
      title: own[0]!.changes === null ? null : 'change',
      scale: { zero: false },
      axis: { tickCount: 4 },
    };
    return {
      title: {
        ...panelTitle(
          own[0]!.name,
          whole === undefined ? [own[0]!.unit] : [unitInWords(whole), ...testInWords(whole)],
        ),
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
  const last = [...comparison.runs].sort((a, b) => (a.step ?? 0) - (b.step ?? 0)).at(-1)?.label ?? '';
  const ends = [...new Set((units?.trends ?? []).map(({ measure }) => measure))].map((measure) => {
    const verdict = headlineOf(units, measure, last)?.verdict ?? 'not measured';
    return `${uncapital(measureName({ type, measure }))} ${verdict}`;
  });
  for (const c of comparison.alignment?.changes ?? []) {
    if (c.layer !== null || c.group !== null || c.from !== reference || c.to !== last) continue;
    ends.push(`${uncapital(ALIGNMENT_WORDS[c.measure].name)} ${c.verdict}`);
  }
  const groups = trends.filter(({ group }) => group !== null);
  const groupsChanged = groups.filter(({ verdict }) => verdict === 'changed');
  const caption = [
    `Steps ${list(steps.map((step) => count(step)))}. Everything is against ${reference}: what a run has by itself is drawn as its change, its first and last value stand above. Bars: 95\u00a0% jackknife intervals over folds. Monotone trend, all languages: Mann–Kendall’s S as Kendall’s τ with its two-sided p, called changed if p < 0.05.`,
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

function shownTrends(comparison: Comparison, reference: string): Shown[] {
  const units = mainUnits(comparison);
  const { alignment } = comparison;
  const ofUnits = (units?.trends ?? []).map((trend): Shown => {
    const { between, unit } = MEASURE_WORDS[trend.measure];
    const own = units!.headlines.filter(
      (h) => h.measure === trend.measure && h.group === trend.group && h.from === reference,
    );
    const name = measureName({ type: units!.type, measure: trend.measure });
    return { ...trend, name, unit, changes: between ? null : own };
  });
  const ofAlignment = (alignment?.trends ?? [])
    .filter(({ layer }) => layer === null)
    .map((trend): Shown => {
      const own = alignment!.changes.filter(
        (c) =>
          c.layer === null && c.measure === trend.measure && c.group === trend.group && c.from === reference,
      );
      return { ...trend, ...ALIGNMENT_WORDS[trend.measure], changes: own };
    });
  return [...ofUnits, ...ofAlignment];
}

/** By step. */
function drawnPoints({ points, changes }: Shown, { runs }: Comparison): TrendTest['points'] {
  if (changes === null) return points;
  const stepOf = new Map(runs.map(({ label, step }) => [label, step ?? 0]));
  const start = { step: runs[0]!.step ?? 0, value: { value: 0, low: 0, high: 0 } };
  const others = changes.map(({ to, change }) => ({ step: stepOf.get(to)!, value: change }));
  return [start, ...others].sort((a, b) => a.step - b.step);
}

/** `LAPE, nats; 1.983 → 2.003`: with as many decimals as give the difference two digits. */
function unitInWords({ unit, changes, points }: Shown): string {
  const [first, last] = [points[0], points.at(-1)].map((point) => point?.value.value ?? null) as [
    number | null,
    number | null,
  ];
  if (changes === null || first === null || last === null) return unit;
  const digits = first === last ? 3 : 1 - Math.floor(Math.log10(Math.abs(last - first)));
  const decimals = Math.min(8, Math.max(0, digits));
  return `${unit}; ${decimal(first, decimals)} → ${decimal(last, decimals)}`;
}

/** In as many lines for every measure, so that panels are alike. */
function testInWords({ tau, p, verdict, note }: TrendTest): string[] {
  const numbers =
    tau === null || p === null ? [] : [`τ\u00a0=\u00a0${number(tau)}, p\u00a0=\u00a0${number(p)}`];
  const lines = [...numbers, note].filter((part) => part !== '');
  return [`trend: ${verdict}`, ellipsize(lines.join('; '), PANEL.width / 10)];
}
