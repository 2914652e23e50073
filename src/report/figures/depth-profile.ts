import type { Comparison, RunProfile } from '../../compare/index.js';
import { INK } from '../drawing/theme.js';
import { count, ellipsize, list, number } from '../words/text.js';
import {
  type AbsentFigure,
  type Figure,
  headlineOf,
  layerTicks,
  mainUnits,
  measuredOn,
  runChannels,
  runsInWords,
  specification,
  UNIT_WORDS,
} from './figure.js';

/** In em. */
const PANEL_TITLE_WIDTH = 24;

/** Cumulative share of selected units by layer: the reference against one other run a panel, with D where it lies. */
export function depthProfile(comparison: Comparison): Figure | AbsentFigure {
  const units = mainUnits(comparison);
  const words = UNIT_WORDS[units?.type ?? 'neuron'];
  const name = 'depth-profile';
  const title = `Depth of language-selective ${words.many}: ${runsInWords(comparison)}`;
  const [reference, ...others] = units?.profiles ?? [];
  if (units === undefined || reference === undefined || reference.selected === 0) {
    return { name, title, reason: `not measured: no ${words.one} is selected in the reference run` };
  }
  const labels = units.profiles.map(({ label }) => label);
  const layers = comparison.shape.layers;
  const panels = others.length === 0 ? [[reference]] : others.map((other) => [reference, other]);
  const size = panels.length === 1 ? { width: 640, height: 300 } : { width: 250, height: 190 };
  const { color, strokeDash, shape } = runChannels(labels);
  const x = {
    field: 'layer',
    type: 'quantitative',
    title: 'layer',
    scale: { domain: [0, Math.max(1, layers - 1)], nice: false },
    axis: { values: layerTicks(layers, panels.length === 1 ? 10 : 7), format: 'd', grid: false },
  };
  const shareOf = [`share of selected ${words.many}`, 'up to the layer'];
  const y = {
    field: 'share',
    type: 'quantitative',
    // Of a small panel in two lines: longer than the panel is high, it would push the panel's title up.
    title: panels.length === 1 ? shareOf.join(' ') : shareOf,
    scale: { domain: [0, 1] },
    axis: { format: '%', tickCount: 5 },
  };
  const panel = (runs: readonly RunProfile[]) => {
    const gap = runs.length < 2 ? null : widestGap(runs[0]!, runs[1]!);
    // The label stands where no curve is: curves rise, so right of the gap and below it is free.
    const label = gap === null ? [] : [{ ...gap, text: `D = ${number(gap.d)} at layer ${gap.layer}` }];
    const right = gap === null || gap.layer < (layers - 1) * 0.62;
    return {
      ...size,
      ...(runs.length > 1 && { title: panelTitle(runs[1]!.label, labels[0]!) }),
      layer: [
        {
          data: { values: curve(runs) },
          mark: { type: 'line', strokeWidth: 2 },
          encoding: { x, y, color, strokeDash },
        },
        {
          data: { values: curve(runs) },
          mark: { type: 'point', filled: true, opacity: 1, size: layers > 16 ? 20 : 40 },
          encoding: {
            x,
            y,
            color,
            shape,
            tooltip: [
              { field: 'run', title: 'run' },
              { field: 'layer', title: 'layer' },
              { field: 'share', title: 'cumulative share', format: '.1%' },
              { field: 'selected', title: `selected in this layer` },
            ],
          },
        },
        {
          data: { values: label },
          mark: { type: 'rule', color: INK, strokeWidth: 3 },
          encoding: {
            x: { field: 'layer', type: 'quantitative' },
            y: { field: 'low', type: 'quantitative' },
            y2: { field: 'high' },
          },
        },
        {
          data: { values: label },
          mark: {
            type: 'text',
            align: right ? 'left' : 'right',
            baseline: right ? 'top' : 'bottom',
            dx: right ? 9 : -9,
            dy: right ? 4 : -6,
            fontWeight: 'bold',
            fontSize: 12,
            color: INK,
          },
          encoding: {
            x: { field: 'layer', type: 'quantitative' },
            y: { field: right ? 'low' : 'high', type: 'quantitative' },
            text: { field: 'text' },
          },
        },
      ],
    };
  };
  const spec = specification(
    panels.length === 1
      ? panel(panels[0]!)
      : {
          concat: panels.map(panel),
          columns: panels.length === 4 ? 2 : 3,
          resolve: { scale: { color: 'shared', strokeDash: 'shared', shape: 'shared' } },
        },
  );
  const counted = `Selected ${words.many}: ${list(units.profiles.map(({ label, selected }) => `${label} ${count(selected)}`))}.`;
  const change =
    others.length === 0
      ? 'One run: description only, no change is measured.'
      : `D is the largest gap between the two cumulative shares. ${others
          .map(({ label }) => {
            const headline = headlineOf(units, 'depthD', label);
            const gap = widestGap(reference, others.find((other) => other.label === label)!);
            if (headline === undefined || headline.verdict === 'not measured' || gap === null) {
              return `${label}: not measured.`;
            }
            return `${label}: D = ${number(gap.d)} at layer ${gap.layer}, ${headline.verdict}.`;
          })
          .join(' ')}`;
  return { name, title, subtitle: measuredOn(comparison), caption: `${counted} ${change}`, spec };
}

function panelTitle(label: string, reference: string) {
  const text = ellipsize(`${label} against ${reference}`, PANEL_TITLE_WIDTH);
  return { text, frame: 'group', fontSize: 12, anchor: 'start', offset: 8 };
}

function curve(runs: readonly RunProfile[]) {
  return runs.flatMap(({ label, cumulative, selectedByLayer }) =>
    cumulative.flatMap((share, layer) =>
      share === null ? [] : [{ run: label, marker: label, layer, share, selected: selectedByLayer[layer]! }],
    ),
  );
}

/** Where |F_A − F_B| is largest (Kolmogorov–Smirnov distance over layers); null if a run has no selected unit. */
function widestGap(a: RunProfile, b: RunProfile) {
  let widest: { layer: number; low: number; high: number; d: number } | null = null;
  a.cumulative.forEach((shareA, layer) => {
    const shareB = b.cumulative[layer];
    if (shareA === null || shareB === null || shareB === undefined) return;
    const d = Math.abs(shareA - shareB);
    if (widest === null || d > widest.d) {
      widest = { layer, low: Math.min(shareA, shareB), high: Math.max(shareA, shareB), d };
    }
  });
  return widest as { layer: number; low: number; high: number; d: number } | null;
}
