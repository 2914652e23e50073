import type { Float } from '../graph.js';
import { dimOf, mismatch } from '../shapes.js';

/** Sum over the last axis, which disappears. */
export function sumLast(x: Float): Float {
  return sumOver(x, [-1]);
}

/** Sum over axes, which disappear. */
export function sumOver(x: Float, axes: readonly number[]): Float {
  const gone = axes.map((axis) => (axis < 0 ? x.rank + axis : axis));
  const shape = x.shape.filter((_, axis) => !gone.includes(axis));
  return x.graph.node('ReduceSum', [x, x.graph.int64(axes)], [['float32', shape]], { keepdims: 0 })[0];
}

/** Maximum over one axis, which disappears. */
export function maxOver(x: Float, axis: number): Float {
  const shape = x.shape.filter((_, other) => other !== axis);
  return x.graph.node('ReduceMax', [x, x.graph.int64([axis])], [['float32', shape]], { keepdims: 0 })[0];
}

/** For each element of the last axis the sum of those behind it, itself left out. */
export function sumAfter(x: Float): Float {
  const attributes = { exclusive: 1, reverse: 1 };
  return x.graph.node('CumSum', [x, x.graph.int64(x.rank - 1)], [['float32', x.shape]], attributes)[0];
}

/** e^x normalised to sum 1 along the last axis. */
export function softmax(x: Float): Float {
  return x.graph.node('Softmax', [x], [['float32', x.shape]], { axis: -1 })[0];
}

/** x / √(mean(x²) + ε) · weight along the last axis (Zhang and Sennrich 2019). */
export function rmsNormalization(x: Float, weight: Float, epsilon: number): Float {
  if (weight.rank !== 1 || dimOf(weight, 0) !== dimOf(x, -1)) {
    throw mismatch('RMSNormalization', 'the weight does not fit', [x, weight]);
  }
  const attributes = { axis: -1, epsilon: { float: epsilon } };
  return x.graph.node('RMSNormalization', [x, weight], [['float32', x.shape]], attributes)[0];
}

/**
 * (x − mean) / √(variance + ε) · weight (+ bias) along the last axis (Ba, Kiros and Hinton 2016).
 */
export function layerNormalization(x: Float, weight: Float, bias: Float | null, epsilon: number): Float {
  const operands = bias === null ? [x, weight] : [x, weight, bias];
  for (const operand of operands.slice(1)) {
    if (operand.rank !== 1 || dimOf(operand, 0) !== dimOf(x, -1)) {
      throw mismatch('LayerNormalization', 'weight or bias does not fit', operands);
    }
  }
  const attributes = { axis: -1, epsilon: { float: epsilon } };
  return x.graph.node('LayerNormalization', operands, [['float32', x.shape]], attributes)[0];
}

/** ln Σ e^x over the last axis, whose size becomes 1. */
export function logSumExpLast(x: Float): Float {
  const shape = [...x.shape.slice(0, -1), 1];
  return x.graph.node('ReduceLogSumExp', [x, x.graph.int64([-1])], [['float32', shape]], { keepdims: 1 })[0];
}
