import { cast, concat, cos, equal, mul, range, reshape, sin, sub, where } from '../graph/index.js';
import type { Block, Float } from './block.js';

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
  const positions = range(graph, 'seq');
  const rows = cast(sub(positions, graph.int64(-OFFSET)), 'float32');
  const angles = mul(reshape(rows, ['seq', 1]), graph.float(frequencies));
  const parts = [sin(angles), cos(angles)];
  if (dModel % 2 === 1) parts.push(mul(reshape(rows, ['seq', 1]), graph.float(0)));
  const table = concat(parts, 1);
  if (padding < OFFSET) return table;
  const pads = equal(reshape(positions, ['seq', 1]), graph.int64(padding - OFFSET));
  return where(pads, graph.float(0), table);
}
