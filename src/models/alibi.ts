import { add, cast, mul, range, softmax } from '../graph/index.js';
import { causalMask } from './attention.js';
import type { Block, Float } from './block.js';

/**
 * What attention with linear biases (Press, Smith and Lewis 2021) adds to the score of a key for each position,
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

/** Slope times position of every head and key, [heads, 1, seq]. */
export function alibiBias(block: Block, heads: number): Float {
  const slopes = block.graph.float(alibiSlopes(heads), [heads, 1, 1]);
  return mul(slopes, cast(range(block.graph, 'seq'), 'float32'));
}

/** The same with slope, position and product each rounded to bfloat16, as Falcon computes it whatever its type. */
export function roundedAlibiBias(block: Block, heads: number): Float {
  const rounded = (x: Float): Float => cast(cast(x, 'bfloat16'), 'float32');
  const slopes = rounded(block.graph.float(alibiSlopes(heads), [heads, 1, 1]));
  return rounded(mul(slopes, rounded(cast(range(block.graph, 'seq'), 'float32'))));
}

/** Softmax over the positions up to a token's own, of scores with a bias. */
export function causalWithBias(block: Block, bias: Float): (scores: Float) => Float {
  return (scores) => softmax(add(add(scores, bias), causalMask(block, null)));
}
