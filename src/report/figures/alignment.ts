import {
  type Change,
  type Comparison,
  type Estimate,
  findingInWords,
  type Measure,
  rowsOf,
} from '../../compare/index.js';
import { shortLabels } from '../drawing/labels.js';
import { OWN_AXES, runChannels, runLine, runPoints } from '../drawing/run-lines.js';
import { layerAxis, numeric, panelTitle, specification, tooltip } from '../drawing/specification.js';
import { INK_SOFT, MISSING } from '../drawing/theme.js';
import { runsInWords } from '../words/measured-on.js';
import { MEASURE_WORDS, measureName, numbersInWords } from '../words/measures.js';
import { count, list, number, plural, uncapital } from '../words/text.js';
import { defineFigure, ONE_RUN } from './figure.js';

const PANEL = { width: 330, height: 180 };
const MEASURES = ['alignment_margin', 'alignment_mexa'] as const;
/** Widest name of the reference in a panel's title, in em. */
const REFERENCE_WIDTH = 26;

/** A point of a panel; `finding` is empty where nothing is compared. */
interface Drawn {
  readonly run: string;
  readonly marker: string;
  readonly layer: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly finding: string;
}

/** Alignment of languages by layer, a line a run with its interval; below, its change against the reference and the noise floor. */
export const alignment = defineFigure({
  name: 'alignment',
  short: 'Alignment by layer',
  title: (comparison) => `Alignment of languages by layer: ${runsInWords(comparison)}`,
  needs: ({ alignment: aligned, levels }) =>
    aligned === null || rowsOf(levels, { type: null }).every(({ value }) => value.value === null)
      ? 'not measured: it needs the pooled residual stream of two languages with the same items (capture --hooks hook_resid_post --keep items)'
      : aligned,
  build: (comparison, aligned) => {
    const labels = comparison.runs.map(({ label }) => label);
    const layers = layersOf(comparison);
    const panel = panelOf(comparison);
    const points = (of: (label: string, layer: number) => { estimate: Estimate; finding: string } | null) =>
      labels.flatMap((run) =>
        layers.flatMap((layer): Drawn[] => {
          const { estimate, finding = '' } = of(run, layer) ?? {};
          if (estimate === undefined || estimate.value === null) return [];
          const { value, low, high } = estimate;
          return [{ run, marker: run, layer, value, low: low ?? value, high: high ?? value, finding }];
        }),
      );
    const levels = MEASURES.flatMap((measure) =>
      panel(
        measureName({ type: null, measure }),
        MEASURE_WORDS[measure].unit,
        measure === 'alignment_margin' ? 'cosine' : 'share',
        points((label, layer) => {
          const [level] = rowsOf(comparison.levels, { measure, group: null, layer, label });
          return level === undefined ? null : { estimate: level.value, finding: '' };
        }),
        [],
      ),
    );
    const changes = MEASURES.flatMap((measure) =>
      panel(
        `Change against ${shortLabels(labels, REFERENCE_WIDTH)[0]}`,
        'grey: noise floor; filled: changed',
        'difference',
        points((label, layer) => {
          const change = againstFirst(comparison, measure, layer).find(({ to }) => to === label);
          return change === undefined ? null : { estimate: change.change, finding: change.test.finding };
        }),
        layers.flatMap((layer) => {
          const floor = floorOf(againstFirst(comparison, measure, layer));
          return floor === null ? [] : [{ layer, low: -floor, high: floor }];
        }),
      ),
    );
    const spec = specification({
      concat: [...levels, ...changes],
      columns: 2,
      // Flush, so that titles of a row are level whatever their axes.
      bounds: 'flush',
      spacing: { row: 92, column: 80 },
      resolve: OWN_AXES,
    });
    return {
      spec,
      caption: caption(comparison, aligned),
      alt: `Curves over ${plural(layers.length, 'layer')}, one a run: how far languages agree on the same item${
        labels.length === 1 ? '' : '; below, the change of each run beside the noise floor'
      }.`,
    };
  },
});

/** Draws one measure over layers, with the noise floor behind it where there is one. */
function panelOf({ runs, shape }: Comparison) {
  const channels = runChannels(runs.map(({ label }) => label));
  const x = layerAxis(shape.layers, 8);
  const size = shape.layers > 16 ? 24 : 40;
  return (
    heading: string,
    subheading: string,
    yTitle: string,
    values: readonly Drawn[],
    floors: readonly object[],
  ) => {
    // An axis of nothing would be no panel.
    if (values.length === 0) return [];
    const filled = values.filter(({ finding }) => finding === '' || finding === 'changed');
    const hollow = values.filter((point) => !filled.includes(point));
    const y = (field: string) =>
      numeric(field, {
        title: yTitle,
        axis: { tickCount: 5, minExtent: 40 },
      });
    const shown = tooltip({
      run: 'run',
      layer: 'layer',
      value: [yTitle, '.4f'],
      low: ['95\u00a0% from', '.4f'],
      high: ['to', '.4f'],
      finding: 'finding',
    });
    const band = (mark: object, channel: object = {}) => ({
      mark: { type: 'area', ...mark },
      encoding: { x, y: y('low'), y2: { field: 'high' }, ...channel },
    });
    // Vega complains of a field without values.
    const markers = (some: readonly Drawn[], mark: object) =>
      some.length === 0
        ? []
        : [{ data: { values: some }, ...runPoints(x, y('value'), channels, { size, ...mark }, shown) }];
    const panel = {
      title: { ...panelTitle(heading, [subheading]), frame: 'group', offset: 6 },
      ...PANEL,
      data: { values },
      layer: [
        ...(floors.length === 0
          ? []
          : [
              { data: { values: floors }, ...band({ color: MISSING }) },
              { mark: { type: 'rule', color: INK_SOFT }, encoding: { y: { datum: 0 } } },
            ]),
        // Of the fill alone: the legend would take over an opacity.
        band({ fillOpacity: 0.18 }, { color: channels.color }),
        runLine(x, y('value'), channels),
        ...markers(filled, {}),
        ...markers(hollow, { filled: false, fill: 'white', strokeWidth: 1.4 }),
      ],
    };
    return [panel];
  };
}

function layersOf({ shape }: Comparison): number[] {
  return Array.from({ length: shape.layers }, (_, layer) => layer);
}

function caption(comparison: Comparison, aligned: NonNullable<Comparison['alignment']>): string {
  const { runs, languages, shape } = comparison;
  const [least, most] = aligned.items;
  const items = least === most ? count(most) : `${count(least)}–${count(most)}`;
  const [reference, ...others] = runs.map(({ label }) => label);
  const { measured, all } = aligned.pairs;
  const what = [
    `hook_resid_post, pooled over a prompt’s tokens (${aligned.pooling}): means over ${
      measured === all ? '' : `${count(measured)} of `
    }${plural(all, 'pair')} of ${plural(languages.length, 'language')}, ${items} items each.`,
    `Left: cosine of the same item less that of different items. Right: an item is retrieved if its cosine strictly exceeds those with all other items, from either language (MEXA; by chance ${number(1 / (2 * most - 1))}).`,
    'Bands: 95\u00a0% jackknife intervals over folds.',
  ];
  if (others.length === 0) return [...what, ONE_RUN].join(' ');
  const findings = others.map((label) => {
    const of = MEASURES.map((measure) => {
      const change = againstFirst(comparison, measure, null).find(({ to }) => to === label)!;
      const name = uncapital(measureName({ type: null, measure }));
      if (change.test.finding === 'not measured') return `${name} not measured (${change.test.note})`;
      const changed = Array.from({ length: shape.layers }, (_, layer) => layer).filter((layer) =>
        againstFirst(comparison, measure, layer).some((c) => c.to === label && c.test.finding === 'changed'),
      );
      return `${name} ${numbersInWords(change)}, ${findingInWords(change.test)} (single layers: changed in ${changed.length} of ${shape.layers})`;
    });
    return `${label}: ${list(of)}.`;
  });
  return [
    ...what,
    `Below, in grey, for the eye alone: the noise floor, 95\u00a0% of differences between random halves of one run, at half size. Filled markers: changed against ${reference}; hollow: not found to have changed.`,
    `Mean over layers. ${findings.join(' ')}`,
  ].join(' ');
}

/** Changes over all languages from the first run to every other; `layer` null: mean over layers. */
function againstFirst({ changes, runs }: Comparison, measure: Measure, layer: number | null): Change[] {
  return rowsOf(changes, { measure, group: null, layer, from: runs[0]!.label });
}

/** The most lenient of the bounds within runs of a layer. */
function floorOf(changes: readonly Change[]): number | null {
  const bounds = changes.flatMap(({ withinFrom, withinTo }) => [withinFrom, withinTo]);
  const known = bounds.filter((bound) => bound !== null).map(([, , most]) => most);
  return known.length === 0 ? null : Math.max(...known);
}
