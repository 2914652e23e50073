import type { QuantisedWeight, WeightTensor } from '../../checkpoint/index.js';
import {
  cast,
  expand,
  type Float,
  type Graph,
  gather,
  mul,
  reshape,
  slice,
  transpose,
} from '../../graph/index.js';

/** A weight that is stored quantised, as float32: what its quantiser's own definition says it stands for. */
export function dequantise(graph: Graph, stored: QuantisedWeight): Float {
  return stored.kind === 'fp8' ? dequantiseFp8(graph, stored) : dequantiseMxfp4(graph, stored);
}

/** E4M3 times the scale of its block of the matrix; ragged blocks at the edges are cut. */
function dequantiseFp8(
  graph: Graph,
  { values, scale, block }: Extract<QuantisedWeight, { kind: 'fp8' }>,
): Float {
  const weight = cast(graph.weight(values), 'float32');
  const scales = cast(graph.weight(scale), 'float32');
  const [out, width] = values.shape as [number, number];
  const [rows, columns] = block;
  const [rowBlocks, columnBlocks] = [Math.ceil(out / rows), Math.ceil(width / columns)];
  const grid = reshape(scales, [rowBlocks, 1, columnBlocks, 1]);
  if (out % rows === 0 && width % columns === 0) {
    const blocks = reshape(weight, [rowBlocks, rows, columnBlocks, columns]);
    return reshape(mul(blocks, grid), [out, width]);
  }
  const repeated = expand(grid, [rowBlocks, rows, columnBlocks, columns]);
  const covering = reshape(repeated, [rowBlocks * rows, columnBlocks * columns]);
  return mul(weight, slice(slice(covering, 0, 0, out), 1, 0, width));
}

/** Values of a four-bit E2M1 number by its bits (OCP Microscaling Formats v1.0, 2023). */
const E2M1 = [0, 0.5, 1, 1.5, 2, 3, 4, 6, -0, -0.5, -1, -1.5, -2, -3, -4, -6];
/** Bias of E8M0, the shared exponent of a block. */
const E8M0_BIAS = 127;

/**
 * Pairs of four-bit numbers a byte, the lower half first, times the power of two of their block. The weight [in, out] is
 * stored transposed.
 */
function dequantiseMxfp4(
  graph: Graph,
  { blocks, scales }: Extract<QuantisedWeight, { kind: 'mxfp4' }>,
): Float {
  const pairs = Float32Array.from({ length: 512 }, (_, i) => E2M1[(i & 1) === 0 ? (i >> 1) & 15 : i >> 5]!);
  const powers = Float32Array.from({ length: 256 }, (_, i) => 2 ** (i - E8M0_BIAS));
  const values = gather(graph.float(pairs, [256, 2]), cast(graph.weight(blocks), 'int32'));
  const [out, groups, bytes] = blocks.shape as [number, number, number];
  const factors = gather(graph.float(powers), cast(graph.weight(scales), 'int32'));
  const scaled = mul(reshape(values, [out, groups, 2 * bytes]), reshape(factors, [out, groups, 1]));
  return transpose(reshape(scaled, [out, 2 * groups * bytes]), [1, 0]);
}

/** Finds a weight by name; throws CheckpointError where it is missing or has another shape. */
export type WeightSource = (name: string, shape: readonly number[]) => WeightTensor | QuantisedWeight;
