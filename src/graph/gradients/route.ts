import { GraphError, type OPERATORS, type Value } from '../graph.js';
import { gather, gatherLast, reshape, scatterInto, scatterRows, zeros } from '../operators/index.js';
import { dimOf } from '../shapes.js';
import { type GradientRule, operand } from './rule.js';

/** The choice of experts has no gradient; values that were moved by it take theirs back on the same way. */
export const ROUTE: Record<(typeof OPERATORS)['route'][number], GradientRule | null> = {
  NonZero: null,
  GatherElements: (node, gradient) => {
    const x = operand(node, 0);
    return [() => scatterInto(zeros(x.graph, x.shape), indicesOf(node.inputs[1]!), gradient, 'add'), null];
  },
  ScatterElements: (node, gradient) => {
    const indices = indicesOf(node.inputs[1]!);
    const added = node.attributes.reduction === 'add';
    const nothing = (): Value<'float32'> => zeros(gradient.graph, indices.shape);
    return [
      () => (added ? gradient : scatterInto(gradient, indices, nothing(), 'none')),
      null,
      () => gatherLast(gradient, indices),
    ];
  },
  ScatterND: (node, gradient) => {
    const { reduction } = node.attributes;
    const updates = operand(node, 2);
    const rows = reshape(indicesOf(node.inputs[1]!), [dimOf(updates, 0)]);
    if (reduction === 'max') {
      throw new GraphError({ what: 'the larger of two values has no gradient here', where: 'ScatterND' });
    }
    const nothing = (): Value<'float32'> => zeros(gradient.graph, updates.shape);
    return [
      () => (reduction === 'add' ? gradient : scatterRows(gradient, rows, nothing(), 'none')),
      null,
      () => gather(gradient, rows),
    ];
  },
  TopK: (node, gradient) => {
    const x = operand(node, 0);
    const indices = indicesOf(node.outputs[1]!);
    return [() => scatterInto(zeros(x.graph, x.shape), indices, gradient, 'none'), null];
  },
};

function indicesOf(value: Value): Value<'int64'> {
  return value as Value<'int64'>;
}
