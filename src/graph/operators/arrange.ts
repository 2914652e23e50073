import {
  type Dim,
  type Dtype,
  type Float,
  type Graph,
  GraphError,
  type Shape,
  type Value,
} from '../graph.js';
import { dimOf, elementCount, mismatch, sizeOf } from '../shapes.js';

/** Operators that move elements and compute nothing. */

/** The same elements in another shape. Symbols in it are filled in at run time. */
export function reshape<D extends Dtype>(x: Value<D>, shape: Shape): Value<D> {
  const from = elementCount(x.shape);
  const to = elementCount(shape);
  if (from.factor !== to.factor || from.symbols.join('*') !== to.symbols.join('*')) {
    throw new GraphError({
      what: 'the numbers of elements differ',
      where: 'Reshape',
      expected: x.describe(),
      found: `[${shape.join(', ')}]`,
    });
  }
  // ONNX copies the dimension of the same place for 0 and infers one for −1, which must be any product.
  const open = shape.flatMap((dim, axis) => (typeof dim === 'string' && dim !== x.shape[axis] ? [axis] : []));
  const inferred = open.find((axis) => String(shape[axis]).includes('*')) ?? open.at(-1);
  const target = shape.map((dim, axis): Dim => {
    if (typeof dim === 'number') return dim;
    if (axis === inferred) return -1;
    return dim === x.shape[axis] ? 0 : dim;
  });
  return x.graph.node('Reshape', [x, shapeVector(x.graph, target)], [[x.dtype, shape]])[0];
}

/** Axes reordered: result axis i is axis `order[i]` of x. */
export function transpose<D extends Dtype>(x: Value<D>, order: readonly number[]): Value<D> {
  const valid = order.length === x.rank && new Set(order).size === x.rank;
  if (!valid) throw mismatch('Transpose', `[${order}] is no order of the axes`, [x]);
  const shape = order.map((axis) => dimOf(x, axis));
  return x.graph.node('Transpose', [x], [[x.dtype, shape]], { perm: order })[0];
}

/** x repeated along axes of size 1 until it has the shape. */
export function expand<D extends Dtype>(x: Value<D>, shape: Shape): Value<D> {
  return x.graph.node('Expand', [x, shapeVector(x.graph, shape)], [[x.dtype, shape]])[0];
}

/** Zeros, float32, of a shape in which `batch*seq` stands for a product. */
export function zeros(graph: Graph, shape: Shape): Float {
  const factors = shape.flatMap((dim): Dim[] => (typeof dim === 'string' ? dim.split('*') : [dim]));
  return reshape(expand(graph.float(0), factors), shape);
}

/** x between zeros along an axis: `before` of them ahead of it and `after` behind. */
export function pad(x: Float, axis: number, before: number, after: number): Float {
  const at = axis < 0 ? x.rank + axis : axis;
  const around = [before, after].flatMap((count) => x.shape.map((_, i) => (i === at ? count : 0)));
  const shape = x.shape.map((dim, i) => (i === at ? before + sizeOf(x, at) + after : dim));
  return x.graph.node('Pad', [x, x.graph.int64(around)], [['float32', shape]])[0];
}

/** Rows of a table: result[…] = table[indices[…]]. */
export function gather<D extends Dtype>(table: Value<D>, indices: Value<'int64' | 'int32'>): Value<D> {
  const shape = [...indices.shape, ...table.shape.slice(1)];
  return table.graph.node('Gather', [table, indices], [[table.dtype, shape]], { axis: 0 })[0];
}

/** Elements `start` to `end` − 1 along an axis of known size. */
export function slice<D extends Dtype>(x: Value<D>, axis: number, start: number, end: number): Value<D> {
  if (!(0 <= start && start < end && end <= sizeOf(x, axis))) {
    throw mismatch('Slice', `there is no stretch from ${start} to ${end} on axis ${axis}`, [x]);
  }
  const at = axis < 0 ? x.rank + axis : axis;
  const shape = x.shape.map((dim, i) => (i === at ? end - start : dim));
  const bounds = [start, end, at].map((bound) => x.graph.int64([bound]));
  return x.graph.node('Slice', [x, ...bounds], [[x.dtype, shape]])[0];
}

/**
 * Values one after the other along an axis; they agree on all others.
 *
 * @param symbol Name of the size of that axis, where it is only known at run time.
 */
export function concat<D extends Dtype>(
  values: readonly Value<D>[],
  axis: number,
  symbol?: string,
): Value<D> {
  const [first] = values;
  if (first === undefined) throw new GraphError({ what: 'nothing to concatenate', where: 'Concat' });
  const others = (x: Value): string => x.shape.map((dim, i) => (i === axis ? '·' : dim)).join();
  if (values.some((x) => others(x) !== others(first))) {
    throw mismatch('Concat', `shapes differ beyond axis ${axis}`, values);
  }
  const total = symbol ?? values.reduce((sum, x) => sum + sizeOf(x, axis), 0);
  const shape = first.shape.map((dim, i) => (i === axis ? total : dim));
  return first.graph.node('Concat', values, [[first.dtype, shape]], { axis })[0];
}

/** 0, 1, …, n − 1 for a symbol n, int64 [n]. */
export function range(graph: Graph, symbol: string): Value<'int64'> {
  const limit = graph.node('Reshape', [graph.symbol(symbol), graph.int64([])], [['int64', []]])[0];
  const operands = [graph.int64(0), limit, graph.int64(1)];
  return graph.node('Range', operands, [['int64', [symbol]]])[0];
}

/** A shape as an int64 vector: a constant if all of it is known, else put together at run time. */
function shapeVector(graph: Graph, shape: Shape): Value<'int64'> {
  if (shape.every((dim) => typeof dim === 'number')) return graph.int64(shape);
  const parts = shape.map((dim) => (typeof dim === 'number' ? graph.int64([dim]) : graph.symbol(dim)));
  return graph.node('Concat', parts, [['int64', [shape.length]]], { axis: 0 })[0];
}
