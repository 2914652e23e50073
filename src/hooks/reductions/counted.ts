import {
  cast,
  dimOf,
  type Float,
  greater,
  matMul,
  maxOver,
  mul,
  reshape,
  sizeOf,
  sumAfter,
  where,
} from '../../graph/index.js';

/** Σ over counted tokens of values [batch, seq, width] → [batch, width]. */
export function sumCounted(values: Float, counted: Float): Float {
  const [batch, seq, width] = [dimOf(values, 0), dimOf(values, 1), sizeOf(values, 2)];
  return reshape(matMul(reshape(counted, [batch, 1, seq]), values), [batch, width]);
}

/** Stands for "no counted token": onnxruntime's ReduceMax of nothing would be −∞, which no activation may be. */
export const LOWEST_FLOAT32 = -(2 - 2 ** -23) * 2 ** 127;

/** Largest value over counted tokens of values [batch, seq, width] → [batch, width]. */
export function maxCounted(values: Float, counted: Float): Float {
  const { graph } = values;
  const counts = reshape(greater(counted, graph.float(0)), [dimOf(values, 0), dimOf(values, 1), 1]);
  return maxOver(where(counts, values, graph.float(LOWEST_FLOAT32)), 1);
}

/** [batch, seq]: 1 at the last counted token of each prompt. */
export function lastCounted(counted: Float): Float {
  return mul(counted, cast(greater(counted.graph.float(0.5), sumAfter(counted)), 'float32'));
}
