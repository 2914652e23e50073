import { readDecoder } from '../config/decoder.js';
import { readFlag, readNumber } from '../config/fields.js';
import type { Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import { scaled } from '../layers/linear.js';
import { gatedHalf } from '../layers/mlp.js';
import { transformer } from '../layers/transformer.js';

/** Granite 3: Llama with multipliers on embeddings, attention scores, what layers add, and logits. */
export const granite: Family = {
  name: 'granite',
  architectures: ['GraniteForCausalLM'],
  modelTypes: ['granite'],
  read(file) {
    const decoder = readDecoder(file, 'granite');
    const { shape, activation } = decoder;
    const bias = readFlag(file, 'attention_bias');
    const mlp = gatedHalf({ width: shape.dMlp, activation, bias: readFlag(file, 'mlp_bias') });
    const ofEmbeddings = readNumber(file, 'embedding_multiplier', 1);
    const scale = readNumber(file, 'attention_multiplier', 1);
    const attention = selfAttention(decoder, () => ({ bias, scale }));
    const ofHalves = readNumber(file, 'residual_multiplier', 1);
    const ofLogits = 1 / readNumber(file, 'logits_scaling', 1);
    return transformer({
      ...decoder,
      embed: (_, rows) => scaled(rows(), ofEmbeddings),
      attention: (...input) => scaled(attention(...input), ofHalves),
      mlp: (...input) => scaled(mlp(...input), ofHalves),
      logits: (products) => scaled(products, ofLogits),
    });
  },
};
