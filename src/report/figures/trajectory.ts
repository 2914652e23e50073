import type { Change, Comparison, Trend } from '../../compare/index.js';
import { OWN_AXES, runChannels, runLine, runPoints } from '../drawing/run-lines.js';
import { numeric, panelTitle, specification, tooltip } from '../drawing/specification.js';
import { changesOf, findingOf, mainUnits, mainWords, referenceOf, trendsOf } from '../words/compared.js';
import { MEASURE_WORDS, measureName } from '../words/measures.js';
import { count, decimal, list, number, uncapital, wrap } from '../words/text.js';
import { defineFigure, sentences } from './figure.js';

const PANEL = { width: 260, height: 150 };
const COLUMNS = 3;
/** Between rows: axis below, title of the next above it, in pixels; and what each line of a title adds to it. */
const ROW_GAP = 73;
const TITLE_LINE = 13;

/** A trend, and the panel it stands in. */
interface Shown extends Trend {
  readonly name: string;
  readonly unit: string;
  /** Changes to every run but the reference; null for a measure between runs, whose points are its changes. */
  readonly changes: readonly Change[] | null;
}

/**
 * Every measure against the training step, with its interval and the test of a monotone trend; a line a group. What a run
 * has by itself is drawn as its change against the reference: groups may lie so far apart that no change would be seen.
 */
export const trajectory = defineFigure({
  name: 'trajectory',
  short: 'Trajectory',
  title: (comparison) => {
    const steps = stepsOf(comparison);
    const over = steps.length === 0 ? 'training' : `${steps.length} checkpoints of one training run`;
    return `${mainWords(comparison).title} over ${over}`;
  },
  needs: (comparison) => {
    const trends = shownTrends(comparison).filter(({ points }) =>
      points.some(({ value }) => value.value !== null),
    );
    return trends.length === 0
      ? 'not measured: the runs are not compared as a trajectory (compare --trajectory)'
      : trends;
  },
  build: (comparison, trends) => {
    const names = [...new Set(trends.map(({ name }) => name))];
    const channels = runChannels(['all', ...comparison.groups.map(({ name }) => name)]);
    const steps = stepsOf(comparison);
    const x = numeric('step', {
      title: 'training step',
      // Of all steps in every panel: what exists only between runs has no value at the reference.
      scale: { domain: [Math.min(...steps), Math.max(...steps)], nice: false, padding: 8 },
      axis: { tickCount: 5, grid: false, format: ',d' },
    });
    const headings = names.map((name) => heading(trends.filter((trend) => trend.name === name)));
    const lines = Math.max(...headings.map(({ length }) => length));
    const panel = (own: readonly Shown[], i: number) => {
      const y = (field: string) =>
        numeric(field, {
          title: own[0]!.changes === null ? null : 'change',
          scale: { zero: false },
          axis: { tickCount: 4 },
        });
      return {
        title: { ...panelTitle(own[0]!.name, headings[i]!), frame: 'group', offset: 6 },
        data: { values: own.flatMap((trend) => drawnPoints(trend, comparison)) },
        ...PANEL,
        layer: [
          {
            mark: { type: 'rule', strokeWidth: 1.4, opacity: 0.8 },
            encoding: { x, y: y('low'), y2: { field: 'high' }, color: channels.color },
          },
          runLine(x, y('value'), channels),
          runPoints(x, y('value'), channels, { size: 40 }, TOOLTIP),
        ],
      };
    };
    const spec = specification({
      concat: names.map((name, i) =>
        panel(
          trends.filter((trend) => trend.name === name),
          i,
        ),
      ),
      columns: COLUMNS,
      // Flush, so that titles of a row are level whatever their axes.
      bounds: 'flush',
      spacing: { row: ROW_GAP + lines * TITLE_LINE, column: 62 },
      resolve: OWN_AXES,
    });
    return {
      spec,
      caption: caption(comparison, trends),
      alt: `A panel for each of ${names.length} measures: its value over training steps ${list(steps.map((step) => count(step)))}, a line a group of languages.`,
    };
  },
});

const TOOLTIP = tooltip({
  run: 'languages',
  step: 'step',
  value: 'value',
  low: '95\u00a0% from',
  high: 'to',
});

function caption(comparison: Comparison, trends: readonly Shown[]): string {
  const reference = referenceOf(comparison);
  const last = [...comparison.runs].sort((a, b) => (a.step ?? 0) - (b.step ?? 0)).at(-1)?.label ?? '';
  const ends = trends
    .filter(({ group }) => group === null)
    .map(({ measure, type, name }) => `${uncapital(name)} ${findingOf(comparison, type, measure, last)}`);
  const groups = trends.filter(({ group }) => group !== null);
  const changed = groups.filter(({ finding }) => finding === 'changed');
  const named = changed.map((trend) => `${uncapital(trend.name)}, ${trend.group}`).join('; ');
  const rest =
    changed.length === groups.length
      ? 'none else'
      : `${groups.length - changed.length} others undecided or not measured`;
  return sentences([
    `Steps ${list(stepsOf(comparison).map((step) => count(step)))}. Everything is against ${reference}: what a run has by itself is drawn as its change, its first and last value stand above. Bars: 95\u00a0% intervals over folds. Monotone trend, all languages: Mann–Kendall’s S as Kendall’s τ with its two-sided p; changed: p, corrected for all trends (Benjamini–Hochberg), is at most 0.05.`,
    groups.length === 0 ? '' : `In groups: ${named === '' ? '' : `changed ${named}; `}${rest}.`,
    `${reference} against ${last}, with other items: ${ends.join('; ')}.`,
  ]);
}

function stepsOf({ runs }: Comparison): number[] {
  return runs.map(({ step }) => step).filter((step) => step !== null);
}

function shownTrends(comparison: Comparison): Shown[] {
  const from = referenceOf(comparison);
  return [mainUnits(comparison)?.type, null].flatMap((type) =>
    trendsOf(comparison, type).map((trend): Shown => {
      const { measure, group } = trend;
      const { between, unit } = MEASURE_WORDS[measure];
      const changes = between ? null : changesOf(comparison, type, { measure, group, from });
      return { ...trend, name: measureName(trend), unit, changes };
    }),
  );
}

/** By step, those that have a value. */
function drawnPoints({ points, changes, group }: Shown, { runs }: Comparison): object[] {
  const stepOf = new Map(runs.map(({ label, step }) => [label, step ?? 0]));
  const start = { step: runs[0]!.step ?? 0, value: { value: 0, low: 0, high: 0 } };
  const others = changes?.map(({ to, change }) => ({ step: stepOf.get(to)!, value: change })) ?? [];
  const run = group ?? 'all';
  return (changes === null ? [...points] : [start, ...others])
    .sort((a, b) => a.step - b.step)
    .flatMap(({ step, value: { value, low, high } }) =>
      value === null ? [] : [{ run, marker: run, step, value, low: low ?? value, high: high ?? value }],
    );
}

/** Lines below the name of a measure: its unit, and the test of all languages. */
function heading(own: readonly Shown[]): string[] {
  const whole = own.find(({ group }) => group === null);
  if (whole === undefined) return [own[0]!.unit];
  const { tau, p, finding, note } = whole;
  const numbers =
    tau === null || p === null ? [] : [`τ\u00a0=\u00a0${number(tau)}, p\u00a0=\u00a0${number(p)}`];
  const words = [...numbers, note].filter((part) => part !== '').join('; ');
  return [unitInWords(whole), `trend: ${finding}`, ...wrap(words, PANEL.width / 11)];
}

/** `LAPE, nats; 1.983 → 2.003`: with as many decimals as give the difference two digits. */
function unitInWords({ unit, changes, points }: Shown): string {
  const [first = null, last = null] = [points[0], points.at(-1)].map((point) => point?.value.value);
  if (changes === null || first === null || last === null) return unit;
  const digits = first === last ? 3 : 1 - Math.floor(Math.log10(Math.abs(last - first)));
  const decimals = Math.min(8, Math.max(0, digits));
  return `${unit}; ${decimal(first, decimals)} → ${decimal(last, decimals)}`;
}
