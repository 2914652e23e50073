import { z } from 'zod';
import { positiveInteger, positiveNumber, readConfigField } from '../../checkpoint/index.js';
import { clip, type Float } from '../../graph/index.js';
import { readDecoder, readMixture } from '../config/decoder.js';
import type { Family } from '../family.js';
import { normHeads, selfAttention } from '../layers/attention.js';
import { preNormModel } from '../layers/layer.js';
import { softmaxMixture } from '../layers/mixture.js';
import { fullNorm } from '../layers/norms.js';

/** OLMoE (Muennighoff et al. 2024): experts in every layer, RMS norms over all queries and all keys at once. */
export const olmoe: Family = {
  name: 'olmoe',
  architectures: ['OlmoeForCausalLM'],
  read(file) {
    const decoder = readDecoder(file, 'olmoe');
    const { activation, epsilon, rotation } = decoder;
    const experts = readConfigField(file, 'num_experts', positiveInteger.default(64));
    const perToken = readConfigField(file, 'num_experts_per_tok', positiveInteger.default(8));
    const bias = readConfigField(file, 'attention_bias', z.boolean().default(false));
    const limit = readConfigField(file, 'clip_qkv', positiveNumber.optional());
    const renormalise = readConfigField(file, 'norm_topk_prob', z.boolean().default(false));
    const width = decoder.shape.dMlp;
    const ofExperts = { experts, perToken, renormalise, neurons: { width, activation } };
    const shape = {
      ...decoder.shape,
      ...readMixture(file, experts, decoder.shape.layers, { perToken, dExpert: width, dShared: 0 }),
    };
    const clipped = (x: Float): Float => (limit === undefined ? x : clip(x, limit));
    return preNormModel(
      decoder,
      (block, name, x) =>
        selfAttention(block, name, x, {
          ...shape,
          rotation,
          bias: { qkv: bias, out: bias },
          prepare: (heads) => ({
            ...normHeads(name, heads, (norm, y) => clipped(fullNorm(block, norm, y, epsilon))),
            v: clipped(heads.v),
          }),
        }),
      (block, name, x) => softmaxMixture(block, name, x, ofExperts),
      shape,
    );
  },
};
