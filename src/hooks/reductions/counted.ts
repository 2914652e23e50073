import {
  cast,
  dimOf,
  type Float,
  greater,
  matMul,
  maximum,
  maxOver,
  mul,
  reshape,
  sizeOf,
  sumAfter,
  where,
} from '../../graph/index.js';

/** A sum over counted tokens: what is summed of each value, and which tokens it runs over, with what weight. */
interface Sum {
  readonly of: (values: Float) => Float;
  readonly over: (counted: Float) => Float;
}

const counted = (tokens: Float): Float => tokens;

/** The statistics of a value that are sums. */
export const SUMS = {
  fire: { of: (x) => cast(greater(x, x.graph.float(0)), 'float32'), over: counted },
  sum: { of: (x) => x, over: counted },
  sumsq: { of: (x) => mul(x, x), over: counted },
  last: { of: (x) => x, over: lastCounted },
} as const satisfies Record<string, Sum>;

/** Σ over counted tokens of values [batch, seq, width] → [batch, width]. */
export function sumCounted(values: Float, tokens: Float): Float {
  const [batch, seq, width] = [dimOf(values, 0), dimOf(values, 1), sizeOf(values, 2)];
  return reshape(matMul(reshape(tokens, [batch, 1, seq]), values), [batch, width]);
}

/** |x| */
export function magnitude(x: Float): Float {
  return maximum(x, mul(x, x.graph.float(-1)));
}

/** Stands for "no counted token": onnxruntime's ReduceMax of nothing would be −∞, which no activation may be. */
export const LOWEST_FLOAT32 = -(2 - 2 ** -23) * 2 ** 127;

/** Largest value over counted tokens of values [batch, seq, width] → [batch, width]. */
export function maxCounted(values: Float, tokens: Float): Float {
  const { graph } = values;
  const counts = reshape(greater(tokens, graph.float(0)), [dimOf(values, 0), dimOf(values, 1), 1]);
  return maxOver(where(counts, values, graph.float(LOWEST_FLOAT32)), 1);
}

/** [batch, seq]: 1 at the last counted token of each prompt. */
export function lastCounted(tokens: Float): Float {
  return mul(tokens, cast(greater(tokens.graph.float(0.5), sumAfter(tokens)), 'float32'));
}
