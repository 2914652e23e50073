import { type Dim, GraphError, type Shape, type Value } from './graph.js';

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
