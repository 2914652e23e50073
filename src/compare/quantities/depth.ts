import type { UnitTallies } from '../inputs/unit-tallies.js';
import { COUNT, type Quantity, quantity, ratio, SHARE, type Side, signed, UNBOUNDED } from './quantity.js';

/**
 * How deep the selected units lie: D, the largest distance over layers between two runs' cumulative shares of selected
 * units, and the mean layer index of selected units, from 0.
 */
export function depthQuantities({ type, scopes, runs, unselected }: UnitTallies): Quantity[] {
  return scopes.flatMap(({ group }, scope) => {
    const selected = ({ run, subset }: Side) => runs[run]![scope]!.layersOf('selected', subset);
    const own = { type, group, impossible: unselected, needs: 'no unit is selected in one of the runs' };
    return [
      quantity({
        ...own,
        measure: 'depth_distance',
        direction: 'difference',
        value: null,
        between: (a, b) => depthDistance(cumulativeShare(selected(a)), cumulativeShare(selected(b))),
        valueRange: SHARE,
        changeRange: SHARE,
      }),
      quantity({
        ...own,
        measure: 'mean_depth',
        ...signed((side) => meanLayer(selected(side))),
        valueRange: COUNT,
        changeRange: UNBOUNDED,
      }),
    ];
  });
}

/** [layer]: cumulative share of selected units up to and including the layer; NaN if none is selected. */
export function cumulativeShare(selectedByLayer: ArrayLike<number>): Float64Array {
  const shares = new Float64Array(selectedByLayer.length);
  let sum = 0;
  for (let l = 0; l < shares.length; l++) {
    sum += selectedByLayer[l]!;
    shares[l] = sum;
  }
  for (let l = 0; l < shares.length; l++) shares[l] = ratio(shares[l]!, sum);
  return shares;
}

function depthDistance(a: Float64Array, b: Float64Array): number {
  let distance = 0;
  for (let l = 0; l < a.length; l++) {
    const gap = Math.abs(a[l]! - b[l]!);
    if (Number.isNaN(gap)) return Number.NaN;
    if (gap > distance) distance = gap;
  }
  return distance;
}

function meanLayer(byLayer: Float64Array): number {
  let depth = 0;
  let selected = 0;
  for (let l = 0; l < byLayer.length; l++) {
    depth += l * byLayer[l]!;
    selected += byLayer[l]!;
  }
  return ratio(depth, selected);
}
