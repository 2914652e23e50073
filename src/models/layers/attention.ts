import {
  dimOf,
  type Float,
  matMul,
  mul,
  reshape,
  sizeOf,
  slice,
  transpose,
  type Value,
} from '../../graph/index.js';
import type { Block } from './block.js';
import { adaptedWeight, conv1d, linear } from './linear.js';
import { causal } from './positions.js';
import { type Rotation, rotate } from './rope.js';
import type { Half, Norm } from './transformer.js';

/**
 * Attention in steps that families combine: project (or split) into heads, normalise, rotate, attend, mix. The output
 * of every step is a tensor of heads, float32 [batch, seq, heads, size].
 */
export interface Projected {
  readonly q: Float;
  /** Fewer heads than q where queries share keys and values. */
  readonly k: Float;
  /** As many heads as k; of another size where the family has it so. */
  readonly v: Float;
}

export interface HeadSizes {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Queries, keys and values from `q_proj`, `k_proj` and `v_proj`. */
export function projectHeads(
  block: Block,
  name: string,
  x: Float,
  { heads, kvHeads, headDim }: HeadSizes,
  bias: boolean,
): Projected {
  const project = (part: string, count: number): Float =>
    splitHeads(linear(block, `${name}.${part}`, x, count * headDim, bias), count);
  return { q: project('q_proj', heads), k: project('k_proj', kvHeads), v: project('v_proj', kvHeads) };
}

/** [batch, seq, heads × size] → [batch, seq, heads, size]. */
export function splitHeads(x: Float, heads: number): Float {
  return reshape(x, ['batch', 'seq', heads, sizeOf(x, 2) / heads]);
}

/** [batch, seq, heads, size] → [batch, seq, heads × size]. */
export function joinHeads(x: Float): Float {
  return reshape(x, ['batch', 'seq', sizeOf(x, 2) * sizeOf(x, 3)]);
}

/** Rotary position embedding of queries and keys. */
export function rotateHeads(block: Block, { q, k, v }: Projected, rotation: Rotation): Projected {
  return { q: rotate(block, q, rotation), k: rotate(block, k, rotation), v };
}

/**
 * The values that each head reads, z [batch, seq, heads, size of v]; passes `attn.hook_pattern`.
 *
 * @param pattern turns scores into attention weights, both [batch, heads, query, key]: whatever the family adds to
 * scores, a mask, and softmax.
 * @param scale of the scores, before `pattern`; 1/√size by default.
 */
export function attend(
  block: Block,
  { q, k, v }: Projected,
  pattern: (scores: Float) => Float,
  scale: number = sizeOf(q, 3) ** -0.5,
): Float {
  const [heads, kvHeads] = [sizeOf(q, 2), sizeOf(k, 2)];
  const { k: allKeys, v: allValues } = block.afterPast(k, v);
  const { keys } = block;
  // Heads that share keys and values form a group: [batch, kvHeads, group, seq or keys, size].
  const group = heads / kvHeads;
  const grouped = (x: Float, size: number): Float =>
    transpose(reshape(x, ['batch', dimOf(x, 1), kvHeads, size, sizeOf(x, 3)]), [0, 2, 3, 1, 4]);
  const transposed = transpose(reshape(allKeys, ['batch', keys, kvHeads, 1, sizeOf(k, 3)]), [0, 2, 3, 4, 1]);
  const scores = matMul(mul(grouped(q, group), block.graph.float(scale)), transposed);
  const computed = pattern(reshape(scores, ['batch', heads, 'seq', keys]));
  const queries = (): Value<'int64'> => block.positions();
  const weights = block.hook('attn.hook_pattern', computed, block.hasPast ? { queries } : {});
  const read = matMul(reshape(weights, ['batch', kvHeads, group, 'seq', keys]), grouped(allValues, 1));
  return reshape(transpose(read, [0, 3, 1, 2, 4]), ['batch', 'seq', heads, sizeOf(v, 3)]);
}

/** The output projection `{name}`, which mixes the heads; passes `attn.hook_z`. */
export function mixHeads(block: Block, name: string, z: Float, dModel: number, bias: boolean): Float {
  const width = sizeOf(z, 2) * sizeOf(z, 3);
  const mixing = (): Float => adaptedWeight(block, name, block.weight(`${name}.weight`, [dModel, width]));
  return linear(block, name, joinHeads(block.hook('attn.hook_z', z, { mixing })), dModel, bias);
}

/** What a family, or one of its layers, does otherwise than Llama. */
export interface AttentionOptions {
  /** null: heads are not rotated. */
  readonly rotation?: Rotation | null;
  /** Whether projections have biases: all of them, or those to queries, keys and values, and `o_proj`. Default none. */
  readonly bias?: boolean | { readonly qkv: boolean; readonly out: boolean };
  /** How many of the latest positions a token sees, itself included; default all before it. */
  readonly window?: number | null;
  /** Queries, keys and values; default `projectHeads`. */
  readonly project?: (block: Block, name: string, x: Float) => Projected;
  /** Prepares heads before they are rotated. */
  readonly prepare?: (heads: Projected, block: Block, name: string) => Projected;
  /** As in `attend`; default `causal`. */
  readonly pattern?: (scores: Float, block: Block, name: string) => Float;
  readonly scale?: number;
}

/** Llama's attention and its relatives: separate projections, prepared and rotated queries and keys, `o_proj`. */
export function selfAttention(
  { shape, rotation: usual }: { readonly shape: HeadSizes; readonly rotation: Rotation },
  optionsOf: (layer: number) => AttentionOptions,
): Half {
  return (block, layerName, x, layer) => {
    const name = `${layerName}.self_attn`;
    const options = optionsOf(layer);
    const { rotation = usual, bias = false, window = null, scale } = options;
    const { qkv, out } = typeof bias === 'boolean' ? { qkv: bias, out: bias } : bias;
    const { prepare = (heads) => heads, pattern = causal(block, window) } = options;
    const { project = () => projectHeads(block, name, x, shape, qkv) } = options;
    const prepared = prepare(project(block, name, x), block, name);
    const heads = rotation === null ? prepared : rotateHeads(block, prepared, rotation);
    const z = attend(block, heads, (scores) => pattern(scores, block, name), scale);
    return mixHeads(block, `${name}.o_proj`, z, sizeOf(x, 2), out);
  };
}

/** Normalises queries and keys by `{name}.q_norm` and `{name}.k_norm`. */
export function normHeads(norm: Norm): Required<AttentionOptions>['prepare'] {
  return ({ q, k, v }, block, name) => ({
    q: norm(block, `${name}.q_norm`, q),
    k: norm(block, `${name}.k_norm`, k),
    v,
  });
}

/**
 * Queries, keys and values from one projection `{name}`, interleaved as GPT-NeoX, BLOOM and Falcon store them: for each
 * head of keys its queries, its key and its value in turn.
 */
export function projectFused(
  block: Block,
  name: string,
  x: Float,
  { heads, kvHeads, headDim }: HeadSizes,
  bias: boolean,
): Projected {
  const group = heads / kvHeads;
  const fused = linear(block, name, x, (heads + 2 * kvHeads) * headDim, bias);
  const grouped = reshape(fused, ['batch', 'seq', kvHeads, group + 2, headDim]);
  const part = (start: number, end: number): Float =>
    reshape(slice(grouped, 3, start, end), ['batch', 'seq', kvHeads * (end - start), headDim]);
  return { q: part(0, group), k: part(group, group + 1), v: part(group + 1, group + 2) };
}

/** The output projection `{name}` of attention in this layout; passes `attn.hook_z`. */
export function mixHeadsConv1d(block: Block, name: string, z: Float, dModel: number): Float {
  const width = sizeOf(z, 2) * sizeOf(z, 3);
  const mixing = (): Float =>
    adaptedWeight(block, name, transpose(block.weight(`${name}.weight`, [width, dModel]), [1, 0]));
  return conv1d(block, name, joinHeads(block.hook('attn.hook_z', z, { mixing })), dModel);
}
