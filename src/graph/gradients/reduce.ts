import type { Float, Node, OPERATORS, Shape } from '../graph.js';
import {
  add,
  cast,
  div,
  exp,
  expand,
  greater,
  mul,
  reshape,
  sqrt,
  sub,
  sumLast,
  sumOver,
} from '../operators/index.js';
import { sizeOf } from '../shapes.js';
import { constantOf, sumTo } from './arrange.js';
import { type GradientRule, operand, result } from './rule.js';

export const REDUCE: Record<(typeof OPERATORS)['reduce'][number], GradientRule> = {
  CumSum: ({ inputs, attributes }, gradient) => {
    const reversed = { ...attributes, reverse: 1 - Number(attributes.reverse ?? 0) };
    return [
      () => gradient.graph.node('CumSum', [gradient, inputs[1]!], [['float32', gradient.shape]], reversed)[0],
      null,
    ];
  },
  LayerNormalization: (node, gradient) => {
    const x = operand(node, 0);
    const centred = sub(x, meanLast(x));
    const normal = div(centred, deviation(centred, node));
    return [
      () => {
        const passed = mul(gradient, operand(node, 1));
        const level = sub(passed, meanLast(passed));
        return div(sub(level, mul(normal, meanLast(mul(passed, normal)))), deviation(centred, node));
      },
      () => sumTo(mul(gradient, normal), operand(node, 1).shape),
      () => sumTo(gradient, operand(node, 2).shape),
    ];
  },
  RMSNormalization: (node, gradient) => {
    const x = operand(node, 0);
    const size = deviation(x, node);
    const normal = div(x, size);
    return [
      () => {
        const passed = mul(gradient, operand(node, 1));
        return div(sub(passed, mul(normal, meanLast(mul(passed, normal)))), size);
      },
      () => sumTo(mul(gradient, normal), operand(node, 1).shape),
    ];
  },
  ReduceLogSumExp: (node, gradient) => [() => mul(gradient, exp(sub(operand(node, 0), result(node)))), null],
  /** Ties share a gradient, as PyTorch's amax has it. */
  ReduceMax: (node, gradient) => {
    const x = operand(node, 0);
    const axes = axesOf(node);
    const kept = keptShape(x.shape, axes);
    return [
      () => {
        const below = cast(greater(reshape(result(node), kept), x), 'float32');
        const largest = sub(x.graph.float(1), below);
        const ties = reshape(sumOver(largest, axes), kept);
        return mul(largest, div(reshape(gradient, kept), ties));
      },
      null,
    ];
  },
  ReduceSum: (node, gradient) => {
    const { shape } = operand(node, 0);
    return [() => expand(reshape(gradient, keptShape(shape, axesOf(node))), shape), null];
  },
  Softmax: (node, gradient) => {
    const y = result(node);
    return [() => mul(y, sub(gradient, lastOf(sumLast(mul(gradient, y)))))];
  },
};

function axesOf(node: Node): readonly number[] {
  const { rank } = operand(node, 0);
  return constantOf(node, 1).map((axis) => (axis < 0 ? rank + axis : axis));
}

/** The shape with the axes of size 1. */
function keptShape(shape: Shape, axes: readonly number[]): Shape {
  return shape.map((dim, axis) => (axes.includes(axis) ? 1 : dim));
}

/** A last axis of size 1 in place of the one that a sum took away. */
function lastOf(sum: Float): Float {
  return reshape(sum, [...sum.shape, 1]);
}

function meanLast(x: Float): Float {
  return mul(lastOf(sumLast(x)), x.graph.float(1 / sizeOf(x, -1)));
}

/** √(mean(x²) + ε) along the last axis. */
function deviation(x: Float, { attributes }: Node): Float {
  const { float } = attributes.epsilon as { readonly float: number };
  return sqrt(add(meanLast(mul(x, x)), x.graph.float(float)));
}
