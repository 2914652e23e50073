import { readDecoder } from '../config/decoder.js';
import { readFlag, readNumber } from '../config/fields.js';
import type { Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import { scaled } from '../layers/linear.js';
import { gatedMlp } from '../layers/mlp.js';
import { transformer } from '../layers/transformer.js';

/** Granite 3: Llama with multipliers on embeddings, attention scores, what layers add, and logits. */
export const granite: Family = {
  name: 'granite',
  architectures: ['GraniteForCausalLM'],
  read(file) {
    const decoder = readDecoder(file, 'granite');
    const { shape, activation, rotation } = decoder;
    const bias = readFlag(file, 'attention_bias');
    const mlp = { width: shape.dMlp, activation, bias: readFlag(file, 'mlp_bias') };
    const ofEmbeddings = readNumber(file, 'embedding_multiplier', 1);
    const scale = readNumber(file, 'attention_multiplier', 1);
    const ofHalves = readNumber(file, 'residual_multiplier', 1);
    const ofLogits = 1 / readNumber(file, 'logits_scaling', 1);
    return transformer({
      ...decoder,
      embed: (_, rows) => scaled(rows(), ofEmbeddings),
      attention: (block, name, x) =>
        scaled(selfAttention(block, `${name}.self_attn`, x, { ...shape, rotation, bias, scale }), ofHalves),
      mlp: (block, name, x) => scaled(gatedMlp(block, `${name}.mlp`, x, mlp), ofHalves),
      logits: (products) => scaled(products, ofLogits),
    });
  },
};
