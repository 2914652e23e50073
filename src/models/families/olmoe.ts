import { clip, type Float } from '../../graph/index.js';
import { readDecoder, withMixture } from '../config/decoder.js';
import { readFlag, readOptionalNumber, readSize } from '../config/fields.js';
import type { Family } from '../family.js';
import { normHeads, selfAttention } from '../layers/attention.js';
import { softmaxMixture } from '../layers/mixture.js';
import { fullNorm } from '../layers/norms.js';
import { transformer } from '../layers/transformer.js';

/** OLMoE (Muennighoff et al. 2024): experts in every layer, RMS norms over all queries and all keys at once. */
export const olmoe: Family = {
  name: 'olmoe',
  architectures: ['OlmoeForCausalLM'],
  modelTypes: ['olmoe'],
  read(file) {
    const decoder = readDecoder(file, 'olmoe');
    const { activation, epsilon } = decoder;
    const experts = readSize(file, ['num_experts', 'num_local_experts'], 64);
    const perToken = readSize(file, 'num_experts_per_tok', 8);
    const bias = readFlag(file, 'attention_bias');
    const limit = readOptionalNumber(file, 'clip_qkv');
    const renormalise = readFlag(file, 'norm_topk_prob');
    const width = decoder.shape.dMlp;
    const ofExperts = { experts, perToken, renormalise, neurons: { width, activation } };
    const shape = withMixture(file, decoder.shape, { experts, perToken, dExpert: width, dShared: 0 });
    const clipped = (x: Float): Float => (limit === null ? x : clip(x, limit));
    const normed = normHeads((block, name, x) => clipped(fullNorm(block, name, x, epsilon)));
    return transformer({
      ...decoder,
      shape,
      attention: selfAttention(decoder, () => ({
        bias,
        prepare: (heads, block, name) => ({ ...normed(heads, block, name), v: clipped(heads.v) }),
      })),
      mlp: (block, name, x) => softmaxMixture(block, `${name}.mlp`, x, ofExperts),
    });
  },
};
