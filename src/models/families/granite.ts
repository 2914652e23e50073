import { positiveNumber, readConfigField } from '../../checkpoint/index.js';
import { readDecoder, readFlag } from '../config/decoder.js';
import type { Family } from '../family.js';
import { attend, mixHeads, projectHeads, rotateHeads } from '../layers/attention.js';
import { tokenEnds } from '../layers/ends.js';
import { preNormLayer } from '../layers/layer.js';
import { scaled } from '../layers/linear.js';
import { gatedMlp } from '../layers/mlp.js';
import { causal } from '../layers/positions.js';

/** Granite 3: Llama with multipliers on embeddings, attention scores, what layers add, and logits. */
export const granite: Family = {
  name: 'granite',
  architectures: ['GraniteForCausalLM'],
  read(file) {
    const decoder = readDecoder(file, 'granite');
    const { shape, activation, epsilon, rotation } = decoder;
    const bias = readFlag(file, 'attention_bias');
    const mlp = { width: shape.dMlp, activation, bias: readFlag(file, 'mlp_bias') };
    const multiplier = (field: string): number => readConfigField(file, field, positiveNumber.default(1));
    const ofEmbeddings = multiplier('embedding_multiplier');
    const ofScores = multiplier('attention_multiplier');
    const ofHalves = multiplier('residual_multiplier');
    const ofLogits = 1 / multiplier('logits_scaling');
    const { embed, unembed } = tokenEnds(decoder);
    return {
      shape,
      embed: (block, ids) => scaled(embed(block, ids), ofEmbeddings),
      layer: (block, index, hidden) =>
        preNormLayer(
          block,
          `model.layers.${index}`,
          hidden,
          epsilon,
          (name, x) => {
            const heads = rotateHeads(block, projectHeads(block, name, x, shape, bias), rotation);
            const z = attend(block, heads, causal(block, null), ofScores);
            return scaled(mixHeads(block, `${name}.o_proj`, z, shape.dModel, bias), ofHalves);
          },
          (name, x) => scaled(gatedMlp(block, name, x, mlp), ofHalves),
        ),
      unembed: (block, hidden) => scaled(unembed(block, hidden), ofLogits),
    };
  },
};
