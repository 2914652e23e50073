import { layerTicks } from '../figures/figure.js';
import { INK } from './theme.js';

/** Pixels that a number below the grid takes, the gap to the next included. */
const TICK_WIDTH = 30;

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

/** What is written in cells that have a `text`, in white where `light` says so. */
export function cellText(encoding: Readonly<Record<string, unknown>>, fontSize: number) {
  return {
    // Thousands of empty texts would be most of the picture.
    transform: [{ filter: "datum.text !== ''" }],
    mark: { type: 'text', fontSize },
    encoding: {
      ...encoding,
      text: { field: 'text' },
      color: { condition: { test: 'datum.light', value: 'white' }, value: INK },
    },
  };
}
