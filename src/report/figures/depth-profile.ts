import { findingInWords, type RunProfile } from '../../compare/index.js';
import { shortLabels } from '../drawing/labels.js';
import { runChannels, runLine, runPoints } from '../drawing/run-lines.js';
import { layerAxis, numeric, specification, tooltip } from '../drawing/specification.js';
import { INK } from '../drawing/theme.js';
import { changeOf, mainUnits, mainWords } from '../words/compared.js';
import { runsInWords, UNIT_WORDS } from '../words/measured-on.js';
import { count, list, number, wrap } from '../words/text.js';
import { defineFigure, ONE_RUN } from './figure.js';

/** In em. */
const PANEL_TITLE_WIDTH = 24;
const RUN_WIDTH = 22;

/** Cumulative share of selected units by layer: the reference against one other run a panel, with D where it lies. */
export const depthProfile = defineFigure({
  name: 'depth-profile',
  short: 'Depth',
  title: (comparison) =>
    `Depth of language-selective ${mainWords(comparison).many}: ${runsInWords(comparison)}`,
  needs: (comparison) => {
    const units = mainUnits(comparison);
    const [reference, ...others] = units?.profiles ?? [];
    if (units === undefined || reference === undefined || reference.selected === 0) {
      return `not measured: no ${UNIT_WORDS[units?.type ?? 'neuron'].one} is selected in the reference run`;
    }
    return { units, reference, others };
  },
  build: (comparison, { units, reference, others }) => {
    const words = UNIT_WORDS[units.type];
    const labels = units.profiles.map(({ label }) => label);
    const layers = comparison.shape.layers;
    const panels = others.length === 0 ? [[reference]] : others.map((other) => [reference, other]);
    const alone = panels.length === 1;
    const channels = runChannels(labels);
    const x = layerAxis(layers, alone ? 10 : 7);
    const shareOf = [`share of selected ${words.many}`, 'up to the layer'];
    const y = numeric('share', {
      // Of a small panel in two lines: longer than the panel is high, it would push the panel's title up.
      title: alone ? shareOf.join(' ') : shareOf,
      scale: { domain: [0, 1] },
      axis: { format: '%', tickCount: 5 },
    });
    const short = shortLabels(labels, RUN_WIDTH);
    const panel = (runs: readonly RunProfile[], i: number) => ({
      ...(alone ? { width: 640, height: 300 } : { width: 250, height: 190 }),
      ...(runs.length > 1 && { title: panelHeading(short[i + 1]!, short[0]!) }),
      layer: [
        { data: { values: curve(runs) }, ...runLine(x, y, channels, { strokeWidth: 2 }) },
        {
          data: { values: curve(runs) },
          ...runPoints(x, y, channels, { size: layers > 16 ? 20 : 40 }, TOOLTIP),
        },
        ...gapMarks(runs.length < 2 ? null : widestGap(runs[0]!, runs[1]!), layers),
      ],
    });
    const spec = specification(
      alone
        ? panel(panels[0]!, 0)
        : {
            concat: panels.map(panel),
            columns: panels.length === 4 ? 2 : 3,
            resolve: { scale: { color: 'shared', strokeDash: 'shared', shape: 'shared' } },
          },
    );
    const counted = `Selected ${words.many}: ${list(units.profiles.map(({ label, selected }) => `${label} ${count(selected)}`))}.`;
    const change =
      others.length === 0
        ? ONE_RUN
        : `D is the largest gap between the two cumulative shares. ${others
            .map((other) => {
              const headline = changeOf(comparison, units.type, 'depth_distance', other.label);
              const gap = widestGap(reference, other);
              if (headline === undefined || headline.test.finding === 'not measured' || gap === null) {
                return `${other.label}: not measured.`;
              }
              return `${other.label}: D = ${number(gap.d)} at layer ${gap.layer}, ${findingInWords(headline.test)}.`;
            })
            .join(' ')}`;
    return {
      spec,
      caption: `${counted} ${change}`,
      alt: `Rising curves over ${layers} layers, one a run: the share of selected ${words.many} up to each layer.`,
    };
  },
});

const TOOLTIP = tooltip({
  run: 'run',
  layer: 'layer',
  share: ['cumulative share', '.1%'],
  selected: 'selected in this layer',
});

function panelHeading(label: string, reference: string) {
  const text = wrap(`${label} against ${reference}`, PANEL_TITLE_WIDTH);
  return { text, frame: 'group', fontSize: 12, anchor: 'start', offset: 8 };
}

function curve(runs: readonly RunProfile[]) {
  return runs.flatMap(({ label, cumulative, selectedByLayer }) =>
    cumulative.flatMap((share, layer) =>
      share === null ? [] : [{ run: label, marker: label, layer, share, selected: selectedByLayer[layer]! }],
    ),
  );
}

interface Gap {
  readonly layer: number;
  readonly low: number;
  readonly high: number;
  readonly d: number;
}

/** Where |F_A − F_B| is largest (Kolmogorov–Smirnov distance over layers); null if a run has no selected unit. */
function widestGap(a: RunProfile, b: RunProfile): Gap | null {
  return a.cumulative.reduce<Gap | null>((widest, shareA, layer) => {
    const shareB = b.cumulative[layer] ?? null;
    if (shareA === null || shareB === null) return widest;
    const d = Math.abs(shareA - shareB);
    if (widest !== null && d <= widest.d) return widest;
    return { layer, low: Math.min(shareA, shareB), high: Math.max(shareA, shareB), d };
  }, null);
}

/** An upright stroke over the gap and its length in words. */
function gapMarks(gap: Gap | null, layers: number): object[] {
  const values = gap === null ? [] : [{ ...gap, text: `D = ${number(gap.d)} at layer ${gap.layer}` }];
  // The label stands where no curve is: curves rise, so right of the gap and below it is free.
  const right = gap === null || gap.layer < (layers - 1) * 0.62;
  const at = (field: string) => numeric(field);
  const side = right
    ? { align: 'left', baseline: 'top', dx: 9, dy: 4 }
    : { align: 'right', baseline: 'bottom', dx: -9, dy: -6 };
  return [
    {
      data: { values },
      mark: { type: 'rule', color: INK, strokeWidth: 3 },
      encoding: { x: at('layer'), y: at('low'), y2: { field: 'high' } },
    },
    {
      data: { values },
      mark: { type: 'text', fontWeight: 'bold', fontSize: 12, color: INK, ...side },
      encoding: { x: at('layer'), y: at(right ? 'low' : 'high'), text: { field: 'text' } },
    },
  ];
}
