import { positiveInteger, readConfigField } from '../../checkpoint/index.js';
import { readDecoder, readMixture } from '../config/decoder.js';
import type { Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import { preNormModel } from '../layers/layer.js';
import { softmaxMixture } from '../layers/mixture.js';

/** Mixtral (Jiang et al. 2024): Mistral with experts in every layer, weighted by their renormalised probabilities. */
export const mixtral: Family = {
  name: 'mixtral',
  architectures: ['MixtralForCausalLM'],
  read(file) {
    const decoder = readDecoder(file, 'mixtral');
    const { activation, rotation } = decoder;
    const experts = readConfigField(file, 'num_local_experts', positiveInteger.default(8));
    const perToken = readConfigField(file, 'num_experts_per_tok', positiveInteger.default(2));
    const window = readConfigField(file, 'sliding_window', positiveInteger.optional()) ?? null;
    const width = decoder.shape.dMlp;
    const shape = {
      ...decoder.shape,
      ...readMixture(file, experts, decoder.shape.layers, { perToken, dExpert: width, dShared: 0 }),
    };
    const neurons = { width, activation, parts: { gate: 'w1', up: 'w3', down: 'w2' } };
    const ofExperts = { experts, perToken, renormalise: true, neurons };
    return preNormModel(
      decoder,
      (block, name, x) => selfAttention(block, name, x, { ...shape, rotation, window }),
      (block, name, x) => softmaxMixture(block, name.replace(/mlp$/, 'block_sparse_moe'), x, ofExperts),
      shape,
    );
  },
};
