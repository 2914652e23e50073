import type {
  AlignmentChange,
  AlignmentComparison,
  AlignmentMeasure,
  Comparison,
  Estimate,
} from '../../compare/index.js';
import { INK_SOFT, MISSING } from '../drawing/theme.js';
import {
  ALIGNMENT_WORDS,
  alignmentChanges,
  alignmentInWords,
  alignmentLevel,
} from '../words/alignment-words.js';
import { panelTitle } from '../words/measures.js';
import { count, ellipsize, list, number, plural, uncapital } from '../words/text.js';
import {
  type AbsentFigure,
  type Figure,
  layerTicks,
  measuredOn,
  runChannels,
  runsInWords,
  specification,
} from './figure.js';

const PANEL = { width: 330, height: 180 };
const MEASURES = ['margin', 'mexa'] as const;

interface Point {
  readonly estimate: Estimate;
  readonly verdict?: string;
}

/** A row of a panel; `verdict` is empty where nothing is compared. */
interface Drawn {
  readonly run: string;
  readonly marker: string;
  readonly layer: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly verdict: string;
}

/** Alignment of languages by layer, a line a run with its interval; below, its change against the reference and the noise floor. */
export function alignment(comparison: Comparison): Figure | AbsentFigure {
  const name = 'alignment';
  const title = `Alignment of languages by layer: ${runsInWords(comparison)}`;
  const { alignment: aligned, runs, shape } = comparison;
  if (aligned === null || aligned.pairs.measured === 0) {
    return {
      name,
      title,
      reason:
        'not measured: it needs the pooled residual stream of two languages with the same items (capture --hooks hook_resid_post --keep items)',
    };
  }
  const labels = runs.map(({ label }) => label);
  const layers = Array.from({ length: shape.layers }, (_, layer) => layer);
  const { color, strokeDash, shape: marker } = runChannels(labels);
  const x = {
    field: 'layer',
    type: 'quantitative',
    title: 'layer',
    scale: { domain: [0, Math.max(1, shape.layers - 1)], nice: false },
    axis: { values: layerTicks(shape.layers, 8), format: 'd', grid: false },
  };
  const points = (of: (label: string, layer: number) => Point | null): Drawn[] =>
    labels.flatMap((label) =>
      layers.flatMap((layer) => {
        const point = of(label, layer);
        if (point === null || point.estimate.value === null) return [];
        const { value, low, high } = point.estimate;
        const verdict = point.verdict ?? '';
        return [{ run: label, marker: label, layer, value, low: low ?? value, high: high ?? value, verdict }];
      }),
    );
  const panel = (
    heading: string,
    subheading: string,
    yTitle: string,
    values: readonly Drawn[],
    floors: object[],
  ) => {
    const filled = values.filter(({ verdict }) => verdict === '' || verdict === 'changed');
    const hollow = values.filter((point) => !filled.includes(point));
    const y = { type: 'quantitative', title: yTitle, axis: { tickCount: 5, minExtent: 40 } };
    const markers = (some: readonly object[], mark: object) => ({
      data: { values: some },
      mark: { type: 'point', opacity: 1, size: shape.layers > 16 ? 24 : 40, ...mark },
      encoding: {
        x,
        y: { ...y, field: 'value' },
        color,
        shape: marker,
        tooltip: [
          { field: 'run', title: 'run' },
          { field: 'layer', title: 'layer' },
          { field: 'value', title: yTitle, format: '.4f' },
          { field: 'low', title: '95\u00a0% from', format: '.4f' },
          { field: 'high', title: 'to', format: '.4f' },
          { field: 'verdict', title: 'verdict' },
        ],
      },
    });
    const floor = {
      data: { values: floors },
      mark: { type: 'area', color: MISSING },
      encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' } },
    };
    const zero = { mark: { type: 'rule', color: INK_SOFT }, encoding: { y: { datum: 0 } } };
    return {
      title: { ...panelTitle(heading, [subheading]), frame: 'group', offset: 6 },
      ...PANEL,
      data: { values },
      layer: [
        ...(floors.length === 0 ? [] : [floor, zero]),
        {
          // Of the fill alone: the legend would take over an opacity.
          mark: { type: 'area', fillOpacity: 0.18 },
          encoding: { x, y: { ...y, field: 'low' }, y2: { field: 'high' }, color },
        },
        {
          mark: { type: 'line', strokeWidth: 1.8 },
          encoding: { x, y: { ...y, field: 'value' }, color, strokeDash },
        },
        // Vega complains of a field without values.
        ...(filled.length === 0 ? [] : [markers(filled, { filled: true })]),
        ...(hollow.length === 0 ? [] : [markers(hollow, { filled: false, fill: 'white', strokeWidth: 1.4 })]),
      ],
    };
  };
  const levels = MEASURES.map((measure) =>
    panel(
      ALIGNMENT_WORDS[measure].name,
      ALIGNMENT_WORDS[measure].unit,
      measure === 'margin' ? 'cosine' : 'share',
      points((label, layer) => ({
        estimate: alignmentLevel(aligned, label, { measure, group: null, layer }),
      })),
      [],
    ),
  );
  const changes = MEASURES.map((measure) => {
    const floors = layers.flatMap((layer) => {
      const floor = floorOf(ofLayer(aligned, measure, layer));
      return floor === null ? [] : [{ layer, low: -floor, high: floor }];
    });
    return panel(
      `Change against ${ellipsize(labels[0]!, 24)}`,
      'grey: noise floor; filled: changed',
      'difference',
      points((label, layer) => {
        const change = ofLayer(aligned, measure, layer).find(({ to }) => to === label);
        return change === undefined ? null : { estimate: change.change, verdict: change.verdict };
      }),
      floors,
    );
  });
  const spec = specification({
    concat: labels.length === 1 ? levels : [...levels, ...changes],
    columns: 2,
    // Flush, so that titles of a row are level whatever their axes.
    bounds: 'flush',
    spacing: { row: 92, column: 80 },
    resolve: {
      scale: {
        color: 'shared',
        strokeDash: 'shared',
        shape: 'shared',
        x: 'independent',
        y: 'independent',
      },
    },
  });
  return { name, title, subtitle: measuredOn(comparison), caption: caption(comparison, aligned), spec };
}

function caption({ runs, languages, shape }: Comparison, aligned: AlignmentComparison): string {
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
  if (others.length === 0) return [...what, 'One run: description only, no change is measured.'].join(' ');
  const verdicts = others.map((label) => {
    const of = MEASURES.map((measure) => {
      const change = alignmentChanges(aligned, null).find((c) => c.to === label && c.measure === measure)!;
      const name = uncapital(ALIGNMENT_WORDS[measure].name);
      if (change.verdict === 'not measured') return `${name} not measured (${change.note})`;
      const changed = Array.from({ length: shape.layers }, (_, layer) => layer).filter((layer) =>
        ofLayer(aligned, measure, layer).some((c) => c.to === label && c.verdict === 'changed'),
      );
      return `${name} ${alignmentInWords(aligned, change)}, ${change.verdict} (single layers: changed in ${changed.length} of ${shape.layers})`;
    });
    return `${label}: ${list(of)}.`;
  });
  return [
    ...what,
    `Below, in grey: the noise floor, 95\u00a0% of differences between random halves of one run, at half size. Filled markers: changed against ${reference}; hollow: not distinguishable from sampling, or not measured.`,
    `Mean over layers. ${verdicts.join(' ')}`,
  ].join(' ');
}

function ofLayer(aligned: AlignmentComparison, measure: AlignmentMeasure, layer: number): AlignmentChange[] {
  return alignmentChanges(aligned, layer).filter((change) => change.measure === measure);
}

/** The most lenient of the bounds within runs that changes of a layer were judged by. */
function floorOf(changes: readonly AlignmentChange[]): number | null {
  const bounds = changes.flatMap(({ withinFrom, withinTo }) => [withinFrom, withinTo]);
  const known = bounds.filter((bound) => bound !== null).map(([, , most]) => most);
  return known.length === 0 ? null : Math.max(...known);
}
