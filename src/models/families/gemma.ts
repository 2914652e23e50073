import { readDecoder } from '../config/decoder.js';
import { readFlag, withDefaults } from '../config/fields.js';
import type { Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import { scaled } from '../layers/linear.js';
import { gemmaNorm } from '../layers/norms.js';
import { transformer } from '../layers/transformer.js';

/** Gemma 1: embeddings scaled by √dModel, RMS norms whose weights are stored less one, large heads. */
export const gemma: Family = {
  name: 'gemma',
  architectures: ['GemmaForCausalLM'],
  modelTypes: ['gemma'],
  read(unread) {
    const file = withDefaults(unread, {
      head_dim: 256,
      hidden_act: 'gelu_pytorch_tanh',
      tie_word_embeddings: true,
    });
    const decoder = readDecoder(file, 'gemma');
    const { shape, epsilon } = decoder;
    const bias = readFlag(file, 'attention_bias');
    return transformer({
      ...decoder,
      norm: (block, name, x) => gemmaNorm(block, name, x, epsilon),
      embed: (_, rows) => scaled(rows(), Math.sqrt(shape.dModel)),
      attention: selfAttention(decoder, () => ({ bias })),
    });
  },
};
