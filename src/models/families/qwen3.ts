import { readDecoder } from '../config/decoder.js';
import { readFlag, withDefaults } from '../config/fields.js';
import type { Family } from '../family.js';
import { normHeads, selfAttention } from '../layers/attention.js';
import { transformer } from '../layers/transformer.js';
import { readQwenWindows } from './qwen2.js';

/** Qwen3: no biases; each head's queries and keys are normalised before they are rotated. */
export const qwen3: Family = {
  name: 'qwen3',
  architectures: ['Qwen3ForCausalLM'],
  modelTypes: ['qwen3'],
  read(unread) {
    const file = withDefaults(unread, { head_dim: 128 });
    const decoder = readDecoder(file, 'qwen3');
    const bias = readFlag(file, 'attention_bias');
    const windows = readQwenWindows(file, decoder.shape.layers);
    const prepare = normHeads(decoder.norm);
    return transformer({
      ...decoder,
      attention: selfAttention(decoder, (layer) => ({ bias, window: windows[layer]!, prepare })),
    });
  },
};
