import type { Float, Value } from '../graph.js';
import { dimOf, mismatch, sizeOf } from '../shapes.js';
import { expand, reshape } from './arrange.js';

/** The k largest values along the last axis, falling, and where they stood. */
export function topK(x: Float, k: number): { readonly values: Float; readonly indices: Value<'int64'> } {
  if (!(1 <= k && k <= sizeOf(x, -1)))
    throw mismatch('TopK', `there are no ${k} values on the last axis`, [x]);
  const shape = [...x.shape.slice(0, -1), k];
  const [values, indices] = x.graph.node(
    'TopK',
    [x, x.graph.int64([k])],
    [
      ['float32', shape],
      ['int64', shape],
    ],
  );
  return { values, indices };
}

/** Values at positions `indices` of the last axis. */
export function gatherLast(x: Float, indices: Value<'int64'>): Float {
  return x.graph.node('GatherElements', [x, indices], [['float32', indices.shape]], { axis: -1 })[0];
}

/** Zeros of `size` along the last axis, with `values` where `indices` say; both [batch, seq, k]. */
export function scatterLast(indices: Value<'int64'>, values: Float, size: number): Float {
  const nothing = expand(indices.graph.float(0), [...indices.shape.slice(0, -1), size]);
  return scatterInto(nothing, indices, expand(values, indices.shape), 'none');
}

/** `x` with `values` in the places of the last axis that `indices` give, or added to what is there. */
export function scatterInto(
  x: Float,
  indices: Value<'int64'>,
  values: Float,
  reduction: 'none' | 'add',
): Float {
  const attributes = { axis: -1, ...(reduction === 'add' ? { reduction } : {}) };
  return x.graph.node('ScatterElements', [x, indices, values], [['float32', x.shape]], attributes)[0];
}

/** Positions [count] at which a vector is not 0, ascending. `count` names their number, known only at run time. */
export function nonZero(x: Float, count: string): Value<'int64'> {
  if (x.rank !== 1) throw mismatch('NonZero', 'not a vector', [x]);
  return reshape(x.graph.node('NonZero', [x], [['int64', [1, count]]])[0], [count]);
}

/** `table` [n, width] with `updates` [count, width] in the rows given, added to what is there, or the larger of the two. */
export function scatterRows(
  table: Float,
  rows: Value<'int64'>,
  updates: Float,
  reduction: 'none' | 'add' | 'max',
): Float {
  if (dimOf(updates, 0) !== dimOf(rows, 0) || dimOf(updates, 1) !== dimOf(table, 1)) {
    throw mismatch('ScatterND', 'the updates do not fit', [table, rows, updates]);
  }
  const indices = reshape(rows, [dimOf(rows, 0), 1]);
  return table.graph.node('ScatterND', [table, indices, updates], [['float32', table.shape]], {
    reduction,
  })[0];
}
