import type { TopLevelSpec } from 'vega-lite';
import { specification } from '../src/report/drawing/specification.js';
import { INK_SOFT, nth, RUN_COLOURS, RUN_DASHES, RUN_SHAPES } from '../src/report/drawing/theme.js';
import type { Validation } from './make-validation.js';

const SCORES = { lape: 'LAPE', ap: 'average precision (best language)', omega2: 'ω² of language' } as const;
/** The scenario in which languages are not exchangeable. */
const UNEVEN = 'tied, uneven';
const WIDTH = 300;
const HEIGHT = 230;
const HEADING = { fontSize: 12, offset: 8 };

/** Recovery of planted units against their strength, and realised against nominal false-discovery rates. */
export function validationFigure({
  recovery,
  falseDiscoveries,
}: Pick<Validation, 'recovery' | 'falseDiscoveries'>): TopLevelSpec {
  const calls: Readonly<Record<string, string>> = SCORES;
  const panel = (type: 'neuron' | 'head') => {
    const own = recovery.points.filter((point) => point.type === type);
    const ranked = own.filter(({ call }) => call in SCORES);
    const { planted = 0, units = 1, seeds = 1 } = ranked[0] ?? {};
    const one = planted / seeds;
    return {
      title: {
        ...HEADING,
        text: `${type === 'neuron' ? 'Neurons' : 'Heads'}: ${one} planted among ${(units - one).toLocaleString('en')} levelled ones`,
      },
      width: WIDTH,
      height: HEIGHT,
      layer: [
        {
          data: { values: [{ chance: one / units, label: 'chance' }] },
          mark: { type: 'rule', strokeDash: [2, 3], color: INK_SOFT },
          encoding: { y: { field: 'chance', type: 'quantitative' } },
        },
        ...lines(
          ranked.map((point) => ({
            ...point,
            what: calls[point.call],
            beside: point.strength + (Object.keys(SCORES).indexOf(point.call) - 1) * 0.02,
            value: point.recall,
            low: point.recallLow,
            high: point.recallHigh,
          })),
          Object.values(SCORES),
          {
            x: {
              field: 'beside',
              title: 'strength: its language against the others, SD within languages',
              domain: [-0.05, Math.max(...ranked.map(({ strength }) => strength)) + 0.05],
            },
            y: { title: 'precision = recall', domain: [0, 1] },
            offset: 0,
          },
        ),
      ],
    };
  };
  // The other test is drawn where the first does not keep its promise.
  const shown = falseDiscoveries
    .filter(({ test, scenario }) => test === 'permutation' || scenario === UNEVEN)
    .map((rate) => ({
      ...rate,
      what: rate.test === 'permutation' ? rate.scenario : `${rate.scenario}: sign flip`,
    }));
  const scenarios = [...new Set(shown.map(({ what }) => what))];
  const most = Math.max(...falseDiscoveries.map(({ nominal }) => nominal));
  const { sets, units, permutations } = falseDiscoveries[0]!;
  const controlled = {
    title: { ...HEADING, text: `False discoveries: ${sets} simulated sets of ${units} units a scenario` },
    width: WIDTH,
    height: HEIGHT,
    layer: [
      {
        data: { values: [{ nominal: 0 }, { nominal: most * 1.06 }] },
        mark: { type: 'line', strokeDash: [2, 3], color: INK_SOFT, strokeWidth: 1 },
        encoding: {
          x: { field: 'nominal', type: 'quantitative' },
          y: { field: 'nominal', type: 'quantitative' },
        },
      },
      ...lines(
        shown.map((rate) => ({
          ...rate,
          value: rate.realised,
          // Side by side, so that intervals can be told apart.
          beside: rate.nominal + (scenarios.indexOf(rate.what) - (scenarios.length - 1) / 2) * 0.0025,
        })),
        scenarios,
        {
          x: {
            field: 'beside',
            title: `nominal rate q (Benjamini–Hochberg, ${permutations.toLocaleString('en')} permutations)`,
            domain: [0, most * 1.06],
          },
          y: { title: 'realised rate, 95 % interval', domain: [0, most * 1.35] },
          offset: 4,
        },
      ),
    ],
  };
  return {
    ...specification({
      hconcat: [panel('neuron'), panel('head'), controlled],
      spacing: 36,
      resolve: { scale: { color: 'independent', strokeDash: 'independent', shape: 'independent' } },
    }),
    title: {
      text: 'Known answers: planted units found, and false discoveries made',
      subtitle: [
        `Planted in ${recovery.checkpoint} (${(recovery.parameters / 1e6).toFixed(1)} M parameters), measured on ${recovery.items * (1 - recovery.calibrationShare)} items of ${recovery.probes} in ${recovery.languages.length} languages that planting did not see; as many called tied as were planted; bars: Wilson's 95 % interval; dotted: chance.`,
        'Right: p-values from shuffling languages within items; dotted: realised = nominal, which is not to be exceeded. Uneven: some languages are noisier, so not exchangeable; sign flips suppose only equal means.',
      ],
    },
  } as TopLevelSpec;
}

interface Axes {
  readonly x: { readonly field: string; readonly title: string; readonly domain: readonly number[] };
  readonly y: { readonly title: string; readonly domain: readonly number[] };
  readonly offset: number;
}

/** Lines with markers and intervals; each `what` has a colour, a dash and a marker. */
function lines(
  points: readonly { readonly what: string | undefined }[],
  domain: readonly string[],
  { x, y, offset }: Axes,
): object[] {
  // A field of its own: merged into the lines' legend, markers would hide the dashes.
  const values = points.map((point) => ({ ...point, marker: point.what }));
  const channel = (range: readonly unknown[], legend: object | null, field = 'what') => ({
    field,
    type: 'nominal',
    title: null,
    sort: null,
    scale: { domain, range: domain.map((_, i) => nth(range, i + (offset === 0 ? 1 : offset))) },
    legend,
  });
  const legend = { orient: 'bottom', columns: 2, symbolType: 'stroke', symbolSize: 26 ** 2 };
  const color = channel(RUN_COLOURS, legend);
  const xy = {
    x: {
      field: x.field,
      type: 'quantitative',
      title: x.title,
      scale: { domain: x.domain, nice: false },
      axis: { grid: false, tickCount: 6 },
    },
    y: {
      field: 'value',
      type: 'quantitative',
      title: y.title,
      scale: { domain: y.domain, nice: false, clamp: true },
      axis: { tickCount: 6, format: '.0%' },
    },
  };
  return [
    {
      data: { values },
      mark: { type: 'line', strokeWidth: 2 },
      encoding: { ...xy, color, strokeDash: channel(RUN_DASHES, legend) },
    },
    {
      data: { values },
      mark: { type: 'rule', strokeWidth: 1.2 },
      encoding: {
        x: xy.x,
        y: { ...xy.y, field: 'low' },
        y2: { field: 'high' },
        color,
      },
    },
    {
      data: { values },
      mark: { type: 'point', filled: true, opacity: 1, size: 55 },
      encoding: { ...xy, color, shape: channel(RUN_SHAPES, null, 'marker') },
    },
  ];
}
