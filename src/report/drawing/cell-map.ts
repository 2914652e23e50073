import { layerTicks } from './specification.js';
import { INK, MISSING } from './theme.js';

/** Pixels that a number below the grid takes, the gap to the next included. */
const TICK_WIDTH = 30;
/** Cells narrower than this, in pixels, have thinner gaps. */
const NARROW = 8;

/** [layer][head or expert], or [language][language]; null: not measured. */
export type Grid = readonly (readonly (number | null)[])[];

/** Fields of a cell: the value its colour shows, and a text, white where `light` says so. */
export interface CellFields {
  readonly value?: number | null;
  readonly text: string;
  readonly light: boolean;
}

interface CellMap {
  readonly title?: object;
  readonly values: readonly (CellFields & object)[];
  readonly x: object;
  readonly y: object;
  readonly width: number | { readonly step: number };
  readonly height: number | { readonly step: number };
  readonly color: object;
  readonly tooltip: readonly object[];
  readonly fontSize: number;
  /** Overrides of the cells' mark and of its channels. */
  readonly mark?: object;
  readonly channels?: object;
  /** Between the cells and their text. */
  readonly frames?: readonly object[];
}

/** A panel of coloured cells with text in them. */
export function cellMap(map: CellMap): object {
  const { title, values, x, y, width, height, color, tooltip, fontSize, mark, channels, frames = [] } = map;
  return {
    ...(title !== undefined && { title }),
    data: { values },
    width,
    height,
    layer: [
      {
        mark: { type: 'rect', stroke: 'white', strokeWidth: 0.6, invalid: null, ...mark },
        encoding: { x, y, color, ...channels, tooltip },
      },
      ...frames,
      {
        // Thousands of empty texts would be most of the picture.
        transform: [{ filter: "datum.text !== ''" }],
        mark: { type: 'text', fontSize },
        encoding: {
          x,
          y,
          tooltip,
          text: { field: 'text' },
          color: { condition: { test: 'datum.light', value: 'white' }, value: INK },
        },
      },
    ],
  };
}

/** Width of the white lines between cells. */
export function gapOf(cellWidth: number): number {
  return cellWidth > NARROW ? 0.6 : 0.2;
}

/** Colour of a value, grey where it is missing; with the legend below the map. */
export function valueColour(scale: object, title: string, gradientLength: number): object {
  return {
    condition: { test: '!isValid(datum.value)', value: MISSING },
    field: 'value',
    type: 'quantitative',
    scale,
    legend: {
      orient: 'bottom',
      direction: 'horizontal',
      title,
      gradientLength,
      tickCount: 4,
      titleLimit: 0,
    },
  };
}

export function sequential(least: number, most: number): object {
  return { scheme: 'viridis', domain: [least, most], clamp: true };
}

/** Around zero: blue is lower, orange is higher. */
export function diverging(widest: number): object {
  return { scheme: 'blueorange', domain: [-widest, widest], domainMid: 0 };
}

/** Whether text on the dark half of the sequential scale must be white. */
export function onDark(value: number, least: number, most: number): boolean {
  return (value - least) / (most - least) < 0.55;
}

/** Other minus first, cell by cell. */
export function differences(first: Grid, other: Grid): Grid {
  return first.map((row, i) =>
    row.map((value, j) => {
      const after = other[i]?.[j] ?? null;
      return value === null || after === null ? null : after - value;
    }),
  );
}

/** An axis of categories that stand for themselves: no line, no ticks, every label. */
export function plainAxis(
  field: string,
  domain: readonly string[],
  { scale, axis, title = null }: { scale?: object; axis?: object; title?: readonly string[] | null } = {},
): object {
  return {
    field,
    type: 'ordinal',
    scale: { domain, ...scale },
    title,
    axis: { domain: false, ticks: false, labelOverlap: false, ...axis },
  };
}

/** Axes of a map of layer × head or expert. @param layers Those that have any, of a model of `depth`. */
export function gridAxes(
  unit: 'head' | 'expert',
  units: number,
  cellWidth: number,
  layers: readonly number[],
  depth: number,
) {
  const plain = { domain: false, ticks: false };
  return {
    x: {
      field: unit,
      type: 'ordinal',
      title: unit,
      axis: { ...plain, labelAngle: 0, values: unitTicks(units, (cellWidth * units) / TICK_WIDTH) },
    },
    y: {
      field: 'layer',
      type: 'ordinal',
      title: 'layer',
      axis: { ...plain, values: layerTicks(depth, 14).filter((layer) => layers.includes(layer)) },
    },
  };
}

/** Heads and experts are mostly powers of two: every one, second, fourth … of them, `most` numbers or fewer. */
export function unitTicks(units: number, most: number): number[] {
  let step = 1;
  while (Math.ceil(units / step) > Math.max(1, most)) step *= 2;
  return Array.from({ length: Math.ceil(units / step) }, (_, i) => i * step);
}
