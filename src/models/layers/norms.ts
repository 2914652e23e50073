import { add, type Float, layerNormalization, rmsNormalization, sizeOf } from '../../graph/index.js';
import { joinHeads, splitHeads } from './attention.js';
import type { Block } from './block.js';

/** RMS normalisation over the last axis with weight `{name}.weight`. */
export function rmsNorm(block: Block, name: string, x: Float, epsilon: number): Float {
  return rmsNormalization(x, block.weight(`${name}.weight`, [sizeOf(x, -1)]), epsilon);
}

/** Layer normalisation over the last axis with weight `{name}.weight` and, where there is one, `{name}.bias`. */
export function layerNorm(block: Block, name: string, x: Float, epsilon: number, bias: boolean): Float {
  const size = sizeOf(x, -1);
  const weight = block.weight(`${name}.weight`, [size]);
  return layerNormalization(x, weight, bias ? block.weight(`${name}.bias`, [size]) : null, epsilon);
}

/** x less its mean over its standard deviation, over the last axis: layer normalisation without weights. */
export function standardized(x: Float, epsilon: number): Float {
  const ones = x.graph.float(new Float32Array(sizeOf(x, -1)).fill(1));
  return layerNormalization(x, ones, null, epsilon);
}

/** RMS norm over the last axis with weight 1 + `{name}.weight`. */
export function gemmaNorm(block: Block, name: string, x: Float, epsilon: number): Float {
  const weight = block.weight(`${name}.weight`, [sizeOf(x, -1)]);
  return rmsNormalization(x, add(weight, x.graph.float(1)), epsilon);
}

/** RMS norm over all heads at once, with a weight [heads × size]. */
export function fullNorm(block: Block, name: string, x: Float, epsilon: number): Float {
  return splitHeads(rmsNorm(block, name, joinHeads(x), epsilon), sizeOf(x, 2));
}
