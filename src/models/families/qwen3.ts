import type { Float } from '../../graph/index.js';
import { type Decoder, readDecoder, readFlag, withDefaults } from '../config/decoder.js';
import type { Family } from '../family.js';
import { normHeads, selfAttention } from '../layers/attention.js';
import type { Block } from '../layers/block.js';
import { preNormModel } from '../layers/layer.js';
import { gatedMlp } from '../layers/mlp.js';
import { rmsNorm } from '../layers/norms.js';
import { readQwenWindows } from './qwen2.js';

/** Qwen3: no biases; each head's queries and keys are normalised before they are rotated. */
export const qwen3: Family = {
  name: 'qwen3',
  architectures: ['Qwen3ForCausalLM'],
  read(unread) {
    const file = withDefaults(unread, { head_dim: 128 });
    const decoder = readDecoder(file, 'qwen3');
    const { shape, activation } = decoder;
    const bias = readFlag(file, 'attention_bias');
    const windows = readQwenWindows(file, shape.layers);
    return preNormModel(
      decoder,
      (block, name, x, layer) => qwen3Attention(block, name, x, decoder, bias, windows[layer]!),
      (block, name, x) => gatedMlp(block, name, x, { width: shape.dMlp, activation }),
    );
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
  return selfAttention(block, name, x, {
    ...shape,
    rotation,
    bias: { qkv: bias, out: bias },
    window,
    prepare: (heads) => normHeads(name, heads, (norm, y) => rmsNorm(block, norm, y, epsilon)),
  });
}
