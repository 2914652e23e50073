import { type Dtype, type Float, GraphError, type OperatorName, type Value } from '../graph.js';
import { add } from '../operators/index.js';
import { ARRANGE } from './arrange.js';
import { ATTENTION } from './attention.js';
import { ELEMENTWISE } from './elementwise.js';
import { LINEAR } from './linear.js';
import { REDUCE } from './reduce.js';
import { ROUTE } from './route.js';
import type { GradientRule } from './rule.js';

/** The rule of every operator; null where what it gives is no activation. An operator without a line does not compile. */
const RULES: Readonly<Record<OperatorName, GradientRule | null>> = {
  Identity: (_, gradient) => [() => gradient],
  Shape: null,
  ...ARRANGE,
  ...ATTENTION,
  ...ELEMENTWISE,
  ...LINEAR,
  ...REDUCE,
  ...ROUTE,
};

/** Indices and conditions that are computed from activations do not change with them, but for jumps. */
const FLOATS: ReadonlySet<Dtype> = new Set(['float64', 'float32', 'bfloat16', 'float16']);

/**
 * Reverse-mode differentiation (Griewank and Walther 2008): adds the nodes that give the gradient of a scalar with regard to
 * values of a graph, from its gradients with regard to later ones.
 *
 * @param seeds float32 gradients, of the shape of the values they are of
 * @returns gradients of `values`, of the same shape; null for a value that no seed depends on
 * @throws GraphError, naming it, for an operator on the way that has no gradient
 */
export function gradients(
  seeds: ReadonlyMap<Float, Float>,
  values: readonly Float[],
): readonly (Float | null)[] {
  const [first] = seeds.keys();
  if (first === undefined) return values.map(() => null);
  const nodes = [...first.graph.nodes];
  const onTheWay = new Set<Value>(values);
  for (const { inputs, outputs } of nodes) {
    if (!inputs.some((input) => onTheWay.has(input))) continue;
    for (const output of outputs) if (FLOATS.has(output.dtype)) onTheWay.add(output);
  }
  const known = new Map<Value, Float>(seeds);
  for (const node of nodes.toReversed()) {
    const gradient = known.get(node.outputs[0]!);
    if (gradient === undefined || !onTheWay.has(node.outputs[0]!)) continue;
    const ways = RULES[node.operator]?.(node, gradient);
    for (const [i, input] of node.inputs.entries()) {
      if (!onTheWay.has(input)) continue;
      const way = ways?.[i];
      if (way === undefined || way === null) {
        throw new GraphError({
          what: `${node.operator} has no gradient`,
          where: node.outputs[0]!.name,
          found: input.describe(),
        });
      }
      const before = known.get(input);
      known.set(input, before === undefined ? way() : add(before, way()));
    }
  }
  return values.map((value) => known.get(value) ?? null);
}
