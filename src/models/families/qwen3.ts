import { type Decoder, readDecoder } from '../config/decoder.js';
import { readFlag, withDefaults } from '../config/fields.js';
import type { Family } from '../family.js';
import { normHeads, selfAttention } from '../layers/attention.js';
import { rmsNorm } from '../layers/norms.js';
import { type Half, transformer } from '../layers/transformer.js';
import { readQwenWindows } from './qwen2.js';

/** Qwen3: no biases; each head's queries and keys are normalised before they are rotated. */
export const qwen3: Family = {
  name: 'qwen3',
  architectures: ['Qwen3ForCausalLM'],
  read(unread) {
    const file = withDefaults(unread, { head_dim: 128 });
    const decoder = readDecoder(file, 'qwen3');
    const bias = readFlag(file, 'attention_bias');
    const windows = readQwenWindows(file, decoder.shape.layers);
    return transformer({ ...decoder, attention: qwen3Attention(decoder, bias, (layer) => windows[layer]!) });
  },
};

/** Attention with an RMS norm of each head's queries and keys, one weight [headDim] for all heads. */
export function qwen3Attention(
  { shape, epsilon, rotation }: Decoder,
  bias: boolean,
  windowOf: (layer: number) => number | null,
): Half {
  return (block, layerName, x, layer) => {
    const name = `${layerName}.self_attn`;
    return selfAttention(block, name, x, {
      ...shape,
      rotation,
      bias,
      window: windowOf(layer),
      prepare: (heads) => normHeads(name, heads, (norm, y) => rmsNorm(block, norm, y, epsilon)),
    });
  };
}
