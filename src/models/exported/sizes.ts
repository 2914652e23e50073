import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { CheckpointError } from '../../errors.js';
import { type NodeProto, TensorProto_DataType } from '../../graph/index.js';
import { readJsonObject } from '../../read-json.js';
import type { ModelShape } from '../types.js';
import { elementsOf } from './check-onnx.js';
import { cacheSizes } from './feeds.js';
import { type ForeignGraph, integer } from './foreign-graph.js';
import { LOOKUPS } from './operators.js';
import { fusedHeads, type LayerPoints } from './points.js';
import { findProjections } from './projections.js';

/** The configuration that the exporter wrote beside the graph, or one folder above it. */
export interface ExportConfig {
  /** null: there is no config.json or genai_config.json. */
  readonly path: string | null;
  readonly architecture: string;
  readonly modelType: string;
  readonly heads: number | null;
  readonly kvHeads: number | null;
  readonly maxPositions: number | null;
  readonly vocab: number | null;
}

const size = z.number().int().positive().nullish().catch(null);
const hubConfig = z.object({
  architectures: z.array(z.string()).nullish().catch(null),
  model_type: z.string().catch('onnx'),
  num_attention_heads: size,
  n_head: size,
  num_key_value_heads: size,
  max_position_embeddings: size,
  n_positions: size,
  vocab_size: size,
});
const genaiConfig = z.object({
  model: z.object({
    type: z.string().catch('onnx'),
    context_length: size,
    vocab_size: size,
    decoder: z.object({ num_attention_heads: size, num_key_value_heads: size }),
  }),
});

/** @throws CheckpointError for a file of that name that is no JSON */
export async function readExportConfig(path: string): Promise<ExportConfig> {
  const remedy = 'download it again, or remove it';
  const hub = findBeside(path, 'config.json');
  if (hub !== null) {
    const config = hubConfig.parse(await readJsonObject(hub, remedy));
    return {
      path: hub,
      architecture: config.architectures?.[0] ?? 'ONNX graph',
      modelType: config.model_type,
      heads: config.num_attention_heads ?? config.n_head ?? null,
      kvHeads: config.num_key_value_heads ?? null,
      maxPositions: config.max_position_embeddings ?? config.n_positions ?? null,
      vocab: config.vocab_size ?? null,
    };
  }
  const genai = findBeside(path, 'genai_config.json');
  const nothing = { path: null, architecture: 'ONNX graph', modelType: 'onnx' };
  const unknown = { heads: null, kvHeads: null, maxPositions: null, vocab: null };
  if (genai === null) return { ...nothing, ...unknown };
  const parsed = genaiConfig.safeParse(await readJsonObject(genai, remedy));
  if (!parsed.success) return { ...nothing, ...unknown };
  const { model } = parsed.data;
  return {
    path: genai,
    architecture: 'ONNX graph',
    modelType: model.type,
    heads: model.decoder.num_attention_heads ?? null,
    kvHeads: model.decoder.num_key_value_heads ?? null,
    maxPositions: model.context_length ?? null,
    vocab: model.vocab_size ?? null,
  };
}

/** A file in the folder of the .onnx file, or in the one above. */
export function findBeside(path: string, name: string): string | null {
  const folder = dirname(path);
  const places = [join(folder, name), join(dirname(folder), name)];
  return places.find((place) => existsSync(place)) ?? null;
}

/**
 * The sizes of a foreign graph's model: from the graph where they are written there, else from the configuration beside it.
 *
 * @throws CheckpointError for sizes that are nowhere, or that layers differ in
 */
export function exportShape(
  graph: ForeignGraph,
  layers: readonly LayerPoints[],
  config: ExportConfig,
): ModelShape {
  const { attention, fusedAttention } = layers[0]!;
  const neurons = ({ mlp }: LayerPoints): number => mlp?.inSize ?? 0;
  const dMlp = neurons(layers[0]!);
  const where = graph.file.path;
  for (const [index, layer] of layers.entries()) {
    if (neurons(layer) === dMlp && layer.attention.inSize === attention.inSize) continue;
    throw new CheckpointError({
      what: 'layers of different sizes are not supported',
      where,
      expected: `${dMlp} neurons and heads of ${attention.inSize} values together, as in layer 0`,
      found: `${neurons(layer)} and ${layer.attention.inSize} in layer ${index}`,
      remedy: 'none yet: a run has as many units in every layer',
    });
  }
  const require = (value: number | null, what: string): number => {
    if (value !== null) return value;
    throw new CheckpointError({
      what: `neither the graph nor a configuration tells ${what}`,
      where,
      expected: 'config.json or genai_config.json in the folder of the graph or the one above',
      found: config.path ?? 'neither',
      remedy: "put the model's config.json beside the .onnx file",
    });
  };
  const fused = fusedAttention === null ? { heads: null, kvHeads: null } : fusedHeads(fusedAttention);
  const cache = cacheSizes(graph);
  const heads = require(fused.heads ??
    (cache.headDim === null
      ? config.heads
      : attention.inSize / cache.headDim), 'the number of attention heads');
  const headDim = attention.inSize / heads;
  if (!Number.isInteger(headDim) || !Number.isInteger(heads)) {
    throw new CheckpointError({
      what: 'the heads do not fill what the attention puts out',
      where,
      found: `${heads} heads in ${attention.inSize} values`,
      remedy: 'give the config.json that belongs to this graph',
    });
  }
  return {
    family: 'onnx',
    layers: layers.length,
    dModel: attention.outSize,
    heads,
    kvHeads: fused.kvHeads ?? cache.kvHeads ?? config.kvHeads ?? heads,
    headDim,
    dMlp,
    experts: null,
    mixture: null,
    vocab: require(vocabularySize(graph) ?? config.vocab, 'the size of the vocabulary'),
    maxPositions: require(config.maxPositions ??
      positionsSize(graph, attention.outSize), 'how long a prompt may be'),
    parameters: countStored(graph).parameters,
  };
}

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
