import { positiveNumber, readConfigField } from '../../checkpoint/index.js';
import { readDecoder, readFlag } from '../config/decoder.js';
import type { Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import { preNormModel } from '../layers/layer.js';
import { scaled } from '../layers/linear.js';
import { gatedMlp } from '../layers/mlp.js';

/** Granite 3: Llama with multipliers on embeddings, attention scores, what layers add, and logits. */
export const granite: Family = {
  name: 'granite',
  architectures: ['GraniteForCausalLM'],
  read(file) {
    const decoder = readDecoder(file, 'granite');
    const { shape, activation, rotation } = decoder;
    const attentionBias = readFlag(file, 'attention_bias');
    const bias = { qkv: attentionBias, out: attentionBias };
    const mlp = { width: shape.dMlp, activation, bias: readFlag(file, 'mlp_bias') };
    const multiplier = (field: string): number => readConfigField(file, field, positiveNumber.default(1));
    const ofEmbeddings = multiplier('embedding_multiplier');
    const scale = multiplier('attention_multiplier');
    const ofHalves = multiplier('residual_multiplier');
    const ofLogits = 1 / multiplier('logits_scaling');
    const layout = preNormModel(
      decoder,
      (block, name, x) =>
        scaled(selfAttention(block, name, x, { ...shape, rotation, bias, scale }), ofHalves),
      (block, name, x) => scaled(gatedMlp(block, name, x, mlp), ofHalves),
    );
    return {
      ...layout,
      embed: (block, ids) => scaled(layout.embed(block, ids), ofEmbeddings),
      unembed: (block, hidden) => scaled(layout.unembed(block, hidden), ofLogits),
    };
  },
};
