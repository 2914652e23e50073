import type { Config } from 'vega-lite';

/**
 * Faces that exist on the three desktop systems, then the Noto faces Linux distributions package. Every script not in
 * the first face that is found falls back glyph by glyph, in browsers and in the rasteriser (Pango) alike.
 */
export const FONT =
  "'Noto Sans', 'Helvetica Neue', Helvetica, Arial, 'Noto Sans CJK SC', 'Noto Sans CJK JP', sans-serif";

export const INK = '#1f2328';
export const INK_SOFT = '#57606a';
export const RULE = '#d0d7de';
export const MISSING = '#d9d9d9';

/**
 * How a run is drawn in every figure: colour (Okabe & Ito 2008, safe for the common colour-vision deficiencies), and
 * dash and marker as second channels. The first is the reference.
 */
export const RUN_COLOURS = [
  '#3b3b3b',
  '#d55e00',
  '#0072b2',
  '#009e73',
  '#cc79a7',
  '#e69f00',
  '#56b4e9',
  '#8c6d1f',
] as const;
export const RUN_DASHES: readonly (readonly number[])[] = [
  [1, 0],
  [7, 3],
  [2, 2],
  [9, 3, 2, 3],
  [4, 2],
  [12, 4],
  [5, 2, 1, 2, 1, 2],
  [1, 3],
];
export const RUN_SHAPES = [
  'circle',
  'triangle-up',
  'square',
  'diamond',
  'cross',
  'triangle-down',
  'triangle-right',
  'triangle-left',
] as const;

/** Findings: colour, and shape and words as second channels. */
export const FINDING_COLOURS = {
  changed: '#d55e00',
  unchanged: '#00805e',
  undecided: '#0072b2',
  'not measured': '#6e7781',
} as const;
export const FINDING_SHAPES = {
  changed: 'circle',
  unchanged: 'square',
  undecided: 'diamond',
  'not measured': 'cross',
} as const;

/** The n-th of a cycle. */
export function nth<T>(values: readonly T[], index: number): T {
  return values[index % values.length]!;
}

/**
 * Shared by every figure. `aria` is off, part by part, because a screen reader gains nothing from hundreds of marks read one by one:
 * the figure's caption and the tables carry the numbers.
 */
export const CONFIG: Config = {
  font: FONT,
  background: 'white',
  padding: 8,
  mark: { aria: false },
  title: {
    aria: false,
    anchor: 'start',
    color: INK,
    fontSize: 14,
    fontWeight: 'bold',
    subtitleColor: INK_SOFT,
    subtitleFontSize: 11,
    subtitleLineHeight: 15,
    subtitlePadding: 5,
    offset: 14,
  },
  axis: {
    aria: false,
    labelFontSize: 11,
    labelColor: INK,
    titleFontSize: 11,
    titleFontWeight: 'normal',
    titleColor: INK,
    gridColor: '#eaeef2',
    domainColor: '#8c959f',
    tickColor: '#8c959f',
    labelLimit: 280,
    // The default of 200 px would let titles stand on long labels.
    maxExtent: 320,
    labelFlush: false,
  },
  header: { labelFontSize: 11, labelColor: INK, labelLimit: 0, titleFontSize: 11 },
  legend: {
    aria: false,
    labelFontSize: 11,
    labelColor: INK,
    labelLimit: 320,
    titleLimit: 0,
    titleFontSize: 11,
    titleFontWeight: 'normal',
    titleColor: INK_SOFT,
    symbolStrokeWidth: 2,
  },
  view: { stroke: null },
};
