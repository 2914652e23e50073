import { add, affine, type Float, gemm, matMul, mul, reshape, sizeOf, tanh } from '../../graph/index.js';
import type { Block } from './block.js';

/** The parts that layers of all families are made of. Every activation is float32 [batch, seq, width]. */
/**
 * y = x·Wᵀ (+ b), PyTorch's `nn.Linear`: weights `{name}.weight` [outSize, in] and `{name}.bias`; x may also be [tokens, in].
 */
export function linear(block: Block, name: string, x: Float, outSize: number, bias: boolean): Float {
  return project(block, name, x, outSize, bias, (rows, y) => adapted(block, name, rows, y));
}

/** As `linear`, by weights that are in no `nn.Linear`, which adapters leave alone: those of some routers. */
export function unadaptedLinear(block: Block, name: string, x: Float, outSize: number, bias: boolean): Float {
  return project(block, name, x, outSize, bias, (_, y) => y);
}

function project(
  block: Block,
  name: string,
  x: Float,
  outSize: number,
  bias: boolean,
  adapt: (rows: Float, y: Float) => Float,
): Float {
  const inSize = sizeOf(x, -1);
  const weight = block.weight(`${name}.weight`, [outSize, inSize]);
  const rows = x.rank === 2 ? x : reshape(x, ['batch*seq', inSize]);
  const y = gemm(rows, weight, bias ? block.weight(`${name}.bias`, [outSize]) : undefined);
  const out = adapt(rows, y);
  return x.rank === 2 ? out : reshape(out, ['batch', 'seq', outSize]);
}

/** x times a number that config.json gives. */
export function scaled(x: Float, factor: number): Float {
  return factor === 1 ? x : mul(x, x.graph.float(factor));
}

/** cap·tanh(x / cap): x kept within (−cap, cap); null leaves x as it is. */
export function softCap(x: Float, cap: number | null): Float {
  return cap === null ? x : scaled(tanh(scaled(x, 1 / cap)), cap);
}

/**
 * A linear layer with the adapter applied to it, y + scale · x·Aᵀ·Bᵀ (Hu et al. 2021): two thin products,
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

/** y = x·W + b as GPT-2 stores it: weights `{name}.weight` [in, outSize] and `{name}.bias`. */
export function conv1d(block: Block, name: string, x: Float, outSize: number): Float {
  const inSize = sizeOf(x, -1);
  const weight = block.weight(`${name}.weight`, [inSize, outSize]);
  const rows = reshape(x, ['batch*seq', inSize]);
  const y = affine(rows, weight, block.weight(`${name}.bias`, [outSize]));
  return reshape(adapted(block, name, rows, y), ['batch', 'seq', outSize]);
}
