import {
  add,
  and,
  cast,
  concat,
  cos,
  equal,
  type Float,
  less,
  lessOrEqual,
  mul,
  reshape,
  sin,
  softmax,
  sub,
  where,
} from '../../graph/index.js';
import type { Block } from './block.js';

/** Softmax over the positions a token sees: those up to its own, or the latest `window` of them. */
export function causal(block: Block, window: number | null): (scores: Float) => Float {
  return (scores) => softmax(add(scores, causalMask(block, window)));
}

/** [query, key]: 0 where key ≤ query and no further back than the window, −∞ elsewhere. */
export function causalMask(block: Block, window: number | null): Float {
  const { graph } = block;
  const keys = block.keyPositions();
  const queries = reshape(block.hasPast ? block.positions() : keys, ['seq', 1]);
  const upTo = lessOrEqual(keys, queries);
  const seen = window === null ? upTo : and(upTo, less(sub(queries, keys), graph.int64(window)));
  return where(seen, graph.float(0), graph.float(Number.NEGATIVE_INFINITY));
}

/**
 * Slopes of attention with linear biases (Press, Smith and Lewis 2021), added to the score of a key for each position,
 * [heads]: a geometric progression for a power of two of heads; for any other number the missing ones come from the
 * progression of twice as many heads, every other one.
 */
export function alibiSlopes(heads: number): Float32Array {
  const power = 2 ** Math.floor(Math.log2(heads));
  const ratio = (count: number): number => Math.fround(2 ** -(2 ** -(Math.log2(count) - 3)));
  return Float32Array.from({ length: heads }, (_, head) =>
    head < power ? ratio(power) ** (head + 1) : ratio(2 * power) ** (2 * (head - power) + 1),
  );
}

/** Slope times position of every head and key, [heads, 1, keys]. */
export function alibiBias(block: Block, heads: number): Float {
  const slopes = block.graph.float(alibiSlopes(heads), [heads, 1, 1]);
  return mul(slopes, cast(block.keyPositions(), 'float32'));
}

/** The same with slope, position and product each rounded to bfloat16, as Falcon computes it whatever its type. */
export function roundedAlibiBias(block: Block, heads: number): Float {
  const rounded = (x: Float): Float => cast(cast(x, 'bfloat16'), 'float32');
  const slopes = rounded(block.graph.float(alibiSlopes(heads), [heads, 1, 1]));
  return rounded(mul(slopes, rounded(cast(block.keyPositions(), 'float32'))));
}

/** Softmax over the positions up to a token's own, of scores with a bias. */
export function causalWithBias(block: Block, bias: Float): (scores: Float) => Float {
  return (scores) => softmax(add(add(scores, bias), causalMask(block, null)));
}

/** Rows that fairseq kept free before the first position. */
const OFFSET = 2;

/**
 * Sinusoidal position embedding (Vaswani et al. 2017) as fairseq and XGLM have it, [seq, dModel]: sines of all
 * frequencies, then cosines, then a zero where dModel is odd. The row of the padding token is zero, which only a
 * token id of 2 or more makes one of the positions.
 */
export function sinusoidalPositions(block: Block, dModel: number, padding: number): Float {
  const { graph } = block;
  const half = Math.floor(dModel / 2);
  const step = Math.fround(Math.log(10_000) / (half - 1));
  const frequencies = Float32Array.from({ length: half }, (_, i) => Math.exp(Math.fround(-i * step)));
  const positions = block.positions();
  const rows = cast(sub(positions, graph.int64(-OFFSET)), 'float32');
  const angles = mul(reshape(rows, ['seq', 1]), graph.float(frequencies));
  const parts = [sin(angles), cos(angles)];
  if (dModel % 2 === 1) parts.push(mul(reshape(rows, ['seq', 1]), graph.float(0)));
  const table = concat(parts, 1);
  if (padding < OFFSET) return table;
  const pads = equal(reshape(positions, ['seq', 1]), graph.int64(padding - OFFSET));
  return where(pads, graph.float(0), table);
}
