import { emWidth } from '../words/text.js';
import { labelExpression } from './labels.js';
import { nominal } from './specification.js';
import { nth, RUN_COLOURS, RUN_DASHES, RUN_SHAPES } from './theme.js';

/** Length of a legend's line: long enough to tell the dashes apart. */
const LEGEND_LINE = 26;
/** Between an entry and the next, with what lies between its line and its label. */
const LEGEND_GAP = 20;
const LEGEND_FONT = 11;
/** Room in the narrowest figure, in pixels. */
const LEGEND_WIDTH = 640;
/** Widest entry, in em. */
const LEGEND_LABEL = 28;

/** Colour, dash and marker of each run, with one legend above the figure if there are several. */
export function runChannels(labels: readonly string[], legendTitle: string | null = null) {
  const legend = {
    orient: 'top',
    columns: legendColumns(labels),
    symbolType: 'stroke',
    symbolSize: LEGEND_LINE ** 2,
    ...labelExpression(labels, LEGEND_LABEL),
  };
  const shared = nominal('run', {
    sort: null,
    title: legendTitle,
    legend: labels.length > 1 ? legend : null,
  });
  const scale = (cycle: readonly unknown[]) => ({
    domain: [...labels],
    range: labels.map((_, i) => nth(cycle, i)),
  });
  return {
    color: { ...shared, scale: scale(RUN_COLOURS) },
    strokeDash: { ...shared, scale: scale(RUN_DASHES) },
    // A field and no legend of its own: merged into the others', its markers would hide the dashes.
    shape: { ...shared, field: 'marker', legend: null, scale: scale(RUN_SHAPES) },
  };
}

/** As many as stand side by side in the narrowest figure; a column is as wide as its widest entry. */
function legendColumns(labels: readonly string[]): number {
  const entries = labels.map(
    (label) => LEGEND_LINE + LEGEND_GAP + Math.min(LEGEND_LABEL, emWidth(label)) * LEGEND_FONT,
  );
  const width = (columns: number) =>
    Array.from({ length: columns }, (_, c) => Math.max(...entries.filter((_, i) => i % columns === c)));
  const fits = (columns: number) => width(columns).reduce((a, b) => a + b, 0) <= LEGEND_WIDTH;
  return labels.map((_, i) => labels.length - i).find(fits) ?? 1;
}

export type RunChannels = ReturnType<typeof runChannels>;

/** Resolution of panels side by side that share the runs' legend and have axes of their own. */
export const OWN_AXES = {
  scale: { color: 'shared', strokeDash: 'shared', shape: 'shared', x: 'independent', y: 'independent' },
};

/** A line a run, over the fields `run` and, of y, `field`. */
export function runLine(x: object, y: object, { color, strokeDash }: RunChannels, mark: object = {}): object {
  return { mark: { type: 'line', strokeWidth: 1.8, ...mark }, encoding: { x, y, color, strokeDash } };
}

/** A marker a number. */
export function runPoints(
  x: object,
  y: object,
  { color, shape }: RunChannels,
  mark: object,
  tooltip: readonly object[],
): object {
  return {
    mark: { type: 'point', filled: true, opacity: 1, ...mark },
    encoding: { x, y, color, shape, tooltip },
  };
}
