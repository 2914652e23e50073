import { readFileSync } from 'node:fs';
import { TensorProto_DataType } from '../../graph/index.js';
import type { ForeignGraph } from './foreign-graph.js';

const INTEGER_PRODUCTS = new Set([
  'MatMulInteger',
  'MatMulIntegerToFloat',
  'DynamicQuantizeMatMul',
  'QLinearMatMul',
  'QAttention',
]);

/** Two products of an eight-bit activation with weights up to here fit sixteen bits: 2 · 255 · 64 < 2¹⁵. */
const LARGEST_SAFE_WEIGHT = 64;

/**
 * A warning where this processor computes other numbers from the graph than most do. Without VNNI, onnxruntime's kernels
 * for signed eight-bit weights add pairs of products in sixteen bits, which saturate (`reduce_range` of its quantiser is
 * made for this).
 *
 * @param flags of the processor; null where they are not known, and nothing is said
 */
export function saturationWarnings(
  graph: ForeignGraph,
  flags: string | null = cpuFlags(),
): readonly string[] {
  if (flags === null || /vnni/.test(flags)) return [];
  const wide = graph.nodes
    .filter(({ opType }) => INTEGER_PRODUCTS.has(opType))
    .flatMap(({ input }) => input)
    .some((name) => {
      const tensor = graph.initializers.get(name);
      if (tensor?.dataType !== TensorProto_DataType.INT8 || tensor.rawData.length === 0) return false;
      const { buffer, byteOffset, length } = tensor.rawData;
      return new Int8Array(buffer, byteOffset, length).some((w) => Math.abs(w) > LARGEST_SAFE_WEIGHT);
    });
  if (!wide) return [];
  return [
    'this processor has no VNNI, and sums over 8-bit weights saturate on it: its numbers are not those of the model. ' +
      'Export with reduce_range=True, or capture on a processor with VNNI',
  ];
}

/** The flags of an x64 processor under Linux; other processors add in 32 bits, or do not say. */
function cpuFlags(): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64') return null;
  try {
    return /^flags\s*:.*$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[0] ?? null;
  } catch {
    return null;
  }
}
