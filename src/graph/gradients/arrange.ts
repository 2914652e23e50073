import {
  type Dim,
  type Float,
  GraphError,
  type Node,
  type OPERATORS,
  type Shape,
  type Value,
} from '../graph.js';
import { pad, reshape, scatterRows, slice, sumOver, transpose, zeros } from '../operators/index.js';
import { dimOf, elementCount, sizeOf } from '../shapes.js';
import { type GradientRule, operand } from './rule.js';

/** Elements move back where they came from; what was copied to several places is summed. */
export const ARRANGE: Record<(typeof OPERATORS)['arrange'][number], GradientRule | null> = {
  Range: null,
  Concat: ({ inputs, attributes }, gradient) => {
    const axis = Number(attributes.axis);
    let start = 0;
    return inputs.map((part) => {
      const from = start;
      start += sizeOf(part, axis);
      return () => slice(gradient, axis, from, from + sizeOf(part, axis));
    });
  },
  Expand: (node, gradient) => [() => sumTo(gradient, operand(node, 0).shape), null],
  Gather: (node, gradient) => {
    const [table, indices] = [operand(node, 0), node.inputs[1] as Value<'int64'>];
    const rows = reshape(indices, [sizeInAll(indices.shape)]);
    const width = sizeInAll(table.shape.slice(1));
    const nothing = (): Float => zeros(table.graph, [dimOf(table, 0), width]);
    const perRow = (): Float => reshape(gradient, [dimOf(rows, 0), width]);
    return [() => reshape(scatterRows(nothing(), rows, perRow(), 'add'), table.shape), null];
  },
  Pad: (node, gradient) => {
    const x = operand(node, 0);
    const before = constantOf(node, 1);
    return [() => before.slice(0, x.rank).reduce((g, from, axis) => unpad(g, x.shape, axis, from), gradient)];
  },
  Reshape: (node, gradient) => [() => reshape(gradient, operand(node, 0).shape), null],
  Slice: (node, gradient) => {
    const x = operand(node, 0);
    const [[start], [end], [axis]] = [constantOf(node, 1), constantOf(node, 2), constantOf(node, 3)];
    return [() => pad(gradient, axis!, start!, sizeOf(x, axis!) - end!), null, null, null];
  },
  Transpose: ({ attributes }, gradient) => {
    const order = attributes.perm as readonly number[];
    return [
      () =>
        transpose(
          gradient,
          Array.from(order, (_, axis) => order.indexOf(axis)),
        ),
    ];
  },
};

/** Number of elements, or the symbols whose product it is. */
function sizeInAll(shape: Shape): Dim {
  const { factor, symbols } = elementCount(shape);
  return symbols.length === 0 ? factor : [...(factor === 1 ? [] : [factor]), ...symbols].join('*');
}

function unpad(gradient: Float, shape: Shape, axis: number, from: number): Float {
  const size = shape[axis]!;
  return gradient.shape[axis] === size ? gradient : slice(gradient, axis, from, from + Number(size));
}

/** `gradient` summed over the axes along which a value of this shape was broadcast to it. */
export function sumTo(gradient: Float, shape: Shape): Float {
  const missing = gradient.rank - shape.length;
  const axes = gradient.shape.flatMap((dim, axis) => {
    const own = axis < missing ? 1 : shape[axis - missing];
    return own === 1 && dim !== 1 ? [axis] : [];
  });
  return reshape(axes.length === 0 ? gradient : sumOver(gradient, axes), shape);
}

/** Elements of an int64 operand that was known when the graph was built. */
export function constantOf({ operator, inputs }: Node, index: number): readonly number[] {
  const value = inputs[index]!;
  const known = value.graph.constants.find((constant) => constant.value === value);
  if (known === undefined) {
    throw new GraphError({ what: `operand ${index} is only known at run time`, where: operator });
  }
  return Array.from(known.elements, Number);
}
