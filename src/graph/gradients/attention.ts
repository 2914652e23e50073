import type { OPERATORS, Value } from '../graph.js';
import { mul } from '../operators/index.js';
import { type GradientRule, operand } from './rule.js';

export const ATTENTION: Record<(typeof OPERATORS)['attention'][number], GradientRule> = {
  /** A rotation's transpose is the rotation by the opposite angle. Positions are no activations: the tables have no gradient. */
  RotaryEmbedding: (node, gradient) => {
    const { graph } = gradient;
    const [cos, sin] = [operand(node, 1), operand(node, 2)];
    return [
      () => {
        const operands: Value[] = [gradient, cos, mul(sin, graph.float(-1))];
        return graph.node('RotaryEmbedding', operands, [['float32', gradient.shape]], node.attributes)[0];
      },
      null,
      null,
    ];
  },
};
