import type { Float } from '../../graph/index.js';
import { type Decoder, readDecoder, readFlag, withDefaults } from '../config/decoder.js';
import type { Family } from '../family.js';
import { attend, mixHeads, projectHeads, rotateHeads } from '../layers/attention.js';
import type { Block } from '../layers/block.js';
import { tokenEnds } from '../layers/ends.js';
import { preNormLayer } from '../layers/layer.js';
import { gatedMlp } from '../layers/mlp.js';
import { rmsNorm } from '../layers/norms.js';
import { causal } from '../layers/positions.js';
import { readQwenWindows } from './qwen2.js';

/** Qwen3: no biases; each head's queries and keys are normalised before they are rotated. */
export const qwen3: Family = {
  name: 'qwen3',
  architectures: ['Qwen3ForCausalLM'],
  read(unread) {
    const file = withDefaults(unread, { head_dim: 128 });
    const decoder = readDecoder(file, 'qwen3');
    const { shape, activation, epsilon } = decoder;
    const bias = readFlag(file, 'attention_bias');
    const windows = readQwenWindows(file, shape.layers);
    return {
      shape,
      ...tokenEnds(decoder),
      layer: (block, index, hidden) =>
        preNormLayer(
          block,
          `model.layers.${index}`,
          hidden,
          epsilon,
          (name, x) => qwen3Attention(block, name, x, decoder, bias, windows[index]!),
          (name, x) => gatedMlp(block, name, x, { width: shape.dMlp, activation, bias: false }),
        ),
    };
  },
};

/** Attention with an RMS norm of each head's queries and keys, one weight [headDim] for all heads. */
export function qwen3Attention(
  block: Block,
  name: string,
  x: Float,
  { shape, epsilon, rotation }: Decoder,
  bias: boolean,
  window: number | null,
): Float {
  const { q, k, v } = projectHeads(block, name, x, shape, bias);
  const normed = {
    q: rmsNorm(block, `${name}.q_norm`, q, epsilon),
    k: rmsNorm(block, `${name}.k_norm`, k, epsilon),
    v,
  };
  const z = attend(block, rotateHeads(block, normed, rotation), causal(block, window));
  return mixHeads(block, `${name}.o_proj`, z, shape.dModel, bias);
}
