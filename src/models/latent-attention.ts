import { concat, expand, sizeOf, slice } from '../graph/index.js';
import { attend, causal, mixHeads, splitHeads } from './attention.js';
import type { Block, Float } from './block.js';
import { linear, rmsNorm } from './parts.js';
import { type Rotation, rotate } from './rotation.js';

export interface LatentAttention {
  readonly heads: number;
  /** Of the bottleneck before queries; null: none. */
  readonly queryRank: number | null;
  /** Of the bottleneck before keys and values. */
  readonly keyValueRank: number;
  /** Dimensions of queries and keys that are not rotated, and that are. */
  readonly plainDim: number;
  readonly rotatedDim: number;
  readonly valueDim: number;
  readonly rotation: Rotation;
  /** Of attention scores. */
  readonly scale: number;
  readonly bias: boolean;
}

/** Epsilon of the norms in the bottlenecks, whatever config.json gives for the others. */
const BOTTLENECK_EPSILON = 1e-6;

/**
 * Multi-head latent attention (DeepSeek-V2, 2024): queries, keys and values pass bottlenecks, and only a part of queries
 * and keys, which all heads share on the side of the keys, is rotated.
 */
export function latentAttention(block: Block, name: string, x: Float, options: LatentAttention): Float {
  const { heads, queryRank, keyValueRank, plainDim, rotatedDim, valueDim, rotation, scale, bias } = options;
  const squeezed = (part: string, input: Float): Float =>
    rmsNorm(block, `${name}.${part}`, input, BOTTLENECK_EPSILON);
  const width = heads * (plainDim + rotatedDim);
  const queries =
    queryRank === null
      ? linear(block, `${name}.q_proj`, x, width, false)
      : linear(
          block,
          `${name}.q_b_proj`,
          squeezed('q_a_layernorm', linear(block, `${name}.q_a_proj`, x, queryRank, bias)),
          width,
          false,
        );
  const q = rotateTail(block, splitHeads(queries, heads), plainDim, rotation);

  const latent = linear(block, `${name}.kv_a_proj_with_mqa`, x, keyValueRank + rotatedDim, bias);
  const shared = splitHeads(slice(latent, 2, keyValueRank, keyValueRank + rotatedDim), 1);
  const opened = splitHeads(
    linear(
      block,
      `${name}.kv_b_proj`,
      squeezed('kv_a_layernorm', slice(latent, 2, 0, keyValueRank)),
      heads * (plainDim + valueDim),
      false,
    ),
    heads,
  );
  const rotated = expand(rotate(block, shared, rotation), ['batch', 'seq', heads, rotatedDim]);
  const k = concat([slice(opened, 3, 0, plainDim), rotated], 3);
  const v = slice(opened, 3, plainDim, plainDim + valueDim);
  const z = attend(block, { q, k, v }, causal(block, null), scale);
  return mixHeads(block, `${name}.o_proj`, z, sizeOf(x, 2), bias);
}

/** The dimensions of each head from `start` on, rotated by position. */
function rotateTail(block: Block, x: Float, start: number, rotation: Rotation): Float {
  return concat([slice(x, 3, 0, start), rotate(block, slice(x, 3, start, sizeOf(x, 3)), rotation)], 3);
}
