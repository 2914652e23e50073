import { BabelscopeError } from '../errors.js';
import type { Graph } from './graph.js';

/** Element types that occur in our graphs, by their ONNX names in lower case. */
export type Dtype =
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'float8e4m3fn'
  | 'uint8'
  | 'int32'
  | 'int64'
  | 'bool';

/** A known size, or a symbol for one known only at run time; `batch*seq` is the product of two symbols. */
export type Dim = number | string;
export type Shape = readonly Dim[];

/** A tensor in a graph: an input, a constant, a weight or what a node computes. */
export class Value<D extends Dtype = Dtype> {
  readonly graph: Graph;
  readonly name: string;
  readonly dtype: D;
  readonly shape: Shape;

  constructor(graph: Graph, name: string, dtype: D, shape: Shape) {
    this.graph = graph;
    this.name = name;
    this.dtype = dtype;
    this.shape = shape;
  }

  get rank(): number {
    return this.shape.length;
  }

  /** `MatMul_3 float32 [batch, seq, 64]`, for error messages. */
  describe(): string {
    return `${this.name} ${this.dtype} ${formatShape(this.shape)}`;
  }
}

/** What activations and weights are while they are computed with. */
export type Float = Value<'float32'>;

/** An operator was given values that it cannot take: a fault in the code that builds the graph, never in the input. */
export class GraphError extends BabelscopeError {}

export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** The dimension `axis` of a value; negative axes count from the end. */
export function dimOf(value: Value, axis: number): Dim {
  const dim = value.shape[axis < 0 ? value.rank + axis : axis];
  if (dim === undefined) {
    throw new GraphError({ what: `no axis ${axis}`, where: value.name, found: value.describe() });
  }
  return dim;
}

/** A dimension that must be known when the graph is built. */
export function sizeOf(value: Value, axis: number): number {
  const dim = dimOf(value, axis);
  if (typeof dim !== 'number') {
    throw new GraphError({
      what: `axis ${axis} is only known at run time (${dim})`,
      where: value.name,
      found: value.describe(),
    });
  }
  return dim;
}

/** The shape NumPy broadcasting gives, by which ONNX defines it too. */
export function broadcast(operator: string, ...values: readonly Value[]): Shape {
  const rank = Math.max(...values.map((value) => value.rank));
  return Array.from({ length: rank }, (_, axis) => {
    const dims = values
      .map((value) => value.shape[axis - (rank - value.rank)] ?? 1)
      .filter((dim) => dim !== 1);
    const [first = 1] = dims;
    if (dims.some((dim) => dim !== first)) throw mismatch(operator, 'shapes do not broadcast', values);
    return first;
  });
}

/** Product of dimensions as a canonical dimension: `[batch, 2, seq]` is `2` and the symbols `batch`, `seq`. */
export function elementCount(shape: Shape): { readonly factor: number; readonly symbols: readonly string[] } {
  let factor = 1;
  const symbols: string[] = [];
  for (const dim of shape) {
    if (typeof dim === 'number') factor *= dim;
    else symbols.push(...dim.split('*'));
  }
  return { factor, symbols: symbols.sort() };
}

export function mismatch(operator: string, what: string, values: readonly Value[]): GraphError {
  return new GraphError({
    what,
    where: operator,
    found: values.map((value) => value.describe()).join('; '),
  });
}
