import { add, gemm, matMul, mul, sizeOf } from '../graph/index.js';
import type { Block, Float } from './block.js';

/**
 * What a linear layer gives with the adapter applied to it, y + scale · x·Aᵀ·Bᵀ (Hu et al. 2021): two thin products,
 * the weight untouched. Without an adapter y itself.
 *
 * @param x [rows, in]
 * @param y [rows, out], what the layer gives without the adapter
 */
export function adapted(block: Block, name: string, x: Float, y: Float): Float {
  const update = block.lowRank(name, [sizeOf(y, 1), sizeOf(x, 1)]);
  if (update === null) return y;
  const { a, b, scale } = update;
  return add(y, gemm(mul(gemm(x, a), block.graph.float(scale)), b));
}

/** The weight [out, in] of a linear layer with the adapter in it, W + scale · B·A, for what needs the matrix itself. */
export function adaptedWeight(block: Block, name: string, weight: Float): Float {
  const update = block.lowRank(name, [sizeOf(weight, 0), sizeOf(weight, 1)]);
  if (update === null) return weight;
  const { a, b, scale } = update;
  return add(weight, matMul(mul(b, block.graph.float(scale)), a));
}
