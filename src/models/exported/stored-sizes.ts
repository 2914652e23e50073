import { type NodeProto, TensorProto_DataType } from '../../graph/index.js';
import { type ForeignGraph, integer } from './foreign-graph.js';
import { LOOKUPS } from './operators.js';
import { findProjections } from './projections.js';
import { elementsOf } from './read-onnx.js';

/** Rows of the table that tokens are looked up in; null if there is none. */
export function vocabularySize(graph: ForeignGraph): number | null {
  for (const node of graph.nodes) {
    const [table, indices] = tableOf(node);
    if (table === '' || graph.isActivation(table) || !graph.isActivation(indices)) continue;
    const shape = graph.weightShape(table);
    if (shape?.length === 2) return shape[0]!;
  }
  return null;
}

/** Rows of the table that positions are looked up in, learned or of angles; null if there is none. */
export function positionsSize(graph: ForeignGraph, dModel: number): number | null {
  for (const node of graph.nodes) {
    const place = ROTATION_TABLES[node.opType];
    const angles = place === undefined ? null : graph.weightShape(node.input[place] ?? '');
    if (angles?.length === 2) return angles[0]!;
    const [table, indices] =
      node.opType === 'EmbedLayerNormalization' ? [node.input[3] ?? '', ''] : tableOf(node);
    if (table === '' || graph.isActivation(indices)) continue;
    const shape = graph.weightShape(table);
    if (shape?.length === 2 && shape[1] === dModel) return shape[0]!;
  }
  return null;
}

/** Input that holds the cosines; the sines follow. */
const ROTATION_TABLES: Readonly<Partial<Record<string, number>>> = {
  GroupQueryAttention: 7,
  RotaryEmbedding: 2,
};

function tableOf(node: NodeProto): readonly [string, string] {
  if (node.opType === 'EmbedLayerNormalization') return [node.input[2] ?? '', node.input[0] ?? ''];
  if (LOOKUPS.has(node.opType)) return [node.input[0] ?? '', node.input[1] ?? ''];
  return ['', ''];
}

/** Storage types a graph's weights may mostly have; `I4` and `I8` are quantised. */
export type StoredDtype = 'F32' | 'F16' | 'BF16' | 'I8' | 'I4';

const FLOATS: Readonly<Partial<Record<number, StoredDtype>>> = {
  [TensorProto_DataType.FLOAT]: 'F32',
  [TensorProto_DataType.FLOAT16]: 'F16',
  [TensorProto_DataType.BFLOAT16]: 'BF16',
};

/**
 * Number of weights stored in the graph: elements of its float tensors, and of its quantised projections. An exporter that
 * stored equal tensors once, or tables of angles, makes it differ from the model's own count.
 */
export function countStored(graph: ForeignGraph): { parameters: number; dtype: StoredDtype } {
  const elements: Record<StoredDtype, number> = { F32: 0, F16: 0, BF16: 0, I8: 0, I4: 0 };
  const packed = new Set<string>();
  for (const { node, inSize, outSize } of findProjections(graph).values()) {
    if (PLAIN.has(node.opType)) continue;
    for (const name of node.input.slice(1)) packed.add(name);
    elements[integer(node, 'bits') === 4 || node.opType === 'MatMulBnb4' ? 'I4' : 'I8'] += inSize * outSize;
  }
  for (const node of graph.nodes) {
    const place = ROTATION_TABLES[node.opType];
    if (place !== undefined) for (const name of node.input.slice(place, place + 2)) packed.add(name);
  }
  for (const tensor of graph.initializers.values()) {
    const dtype = FLOATS[tensor.dataType];
    if (dtype !== undefined && !packed.has(tensor.name)) elements[dtype] += elementsOf(tensor);
  }
  const [dtype] = (Object.keys(elements) as StoredDtype[]).sort((a, b) => elements[b] - elements[a]);
  return { parameters: Object.values(elements).reduce((a, b) => a + b, 0), dtype: dtype! };
}

const PLAIN = new Set(['MatMul', 'Gemm', 'FusedMatMul', 'FusedGemm']);
