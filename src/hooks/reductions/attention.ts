import {
  and,
  cast,
  type Dim,
  dimOf,
  type Float,
  less,
  lessOrEqual,
  log,
  matMul,
  maximum,
  mul,
  range,
  reshape,
  sizeOf,
  sub,
  sumLast,
  transpose,
  type Value,
} from '../../graph/index.js';
import type { PatternSummary } from '../taps.js';
import { sumCounted } from './counted.js';

/**
 * ‖z_h W_O,h‖² of each head, [batch, seq, heads], as z G zᵀ with G = W_O,h W_O,hᵀ: a heads × dModel vector a token
 * is never made.
 *
 * @param weight of o_proj, [dModel, heads × headDim]
 */
export function squaredNorms(z: Float, weight: Float): Float {
  const [batch, seq, heads, headDim] = z.shape as [Dim, Dim, number, number];
  const dModel = sizeOf(weight, 0);
  const perHead = transpose(reshape(weight, [dModel, heads, headDim]), [1, 2, 0]);
  const gram = matMul(perHead, transpose(perHead, [0, 2, 1]));
  const zByHead = transpose(z, [0, 2, 1, 3]);
  const squares = sumLast(mul(matMul(zByHead, gram), zByHead));
  // Rounding can leave a tiny negative where the norm is near zero.
  const norms = maximum(squares, z.graph.float(0));
  return reshape(transpose(norms, [0, 2, 1]), [batch, seq, heads]);
}

/** Probabilities below this contribute nothing to an entropy: p ln p is under 1e-36 there. */
const LEAST_PROBABILITY = 1e-38;

/**
 * Σ over counted tokens as queries of a summary of their row of a pattern [batch, heads, query, key] → [batch, heads].
 *
 * @param positions of the queries, where they are not those of the keys
 */
export function sumPattern(
  pattern: Float,
  summary: PatternSummary,
  counted: Float,
  positions: Value<'int64'> | undefined,
): Float {
  return sumCounted(transpose(summarizeRows(pattern, summary, positions), [0, 2, 1]), counted);
}

function summarizeRows(
  pattern: Float,
  summary: PatternSummary,
  positions: Value<'int64'> | undefined,
): Float {
  const { graph } = pattern;
  if (summary === 'entropy') {
    const surprise = sub(graph.float(0), log(maximum(pattern, graph.float(LEAST_PROBABILITY))));
    return sumLast(mul(pattern, surprise));
  }
  const keys = range(graph, String(dimOf(pattern, 3)));
  if (summary === 'first') return sumLast(mul(pattern, cast(lessOrEqual(keys, graph.int64(0)), 'float32')));
  const queries = reshape(positions ?? keys, [dimOf(pattern, 2), 1]);
  const isPrevious = and(less(keys, queries), lessOrEqual(sub(queries, graph.int64(1)), keys));
  return sumLast(mul(pattern, cast(isPrevious, 'float32')));
}
