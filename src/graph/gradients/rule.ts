import type { Float, Node } from '../graph.js';

/**
 * How a gradient passes one operator backwards: for each input a function that adds the nodes for its gradient, given that of
 * the first output. Only those that are wanted are called. `null` for inputs that have no gradient: indices, shapes, conditions.
 */
export type GradientRule = (node: Node, gradient: Float) => readonly ((() => Float) | null)[];

/** An operand of a node as activations are: rules are only asked about those. */
export function operand({ inputs }: Node, index: number): Float {
  return inputs[index] as Float;
}

/** What a node computed. */
export function result({ outputs }: Node): Float {
  return outputs[0] as Float;
}
