import { dimOf, mismatch, type Value } from '../value.js';

type Float = Value<'float32'>;

/** Sum over the last axis, which disappears. */
export function sumLast(x: Float): Float {
  const axes = x.graph.int64([-1]);
  return x.graph.node('ReduceSum', [x, axes], [['float32', x.shape.slice(0, -1)]], { keepdims: 0 })[0];
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
