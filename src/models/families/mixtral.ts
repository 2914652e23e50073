import { readDecoder, withMixture } from '../config/decoder.js';
import { readOptionalSize, readSize } from '../config/fields.js';
import type { Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import { softmaxMixture } from '../layers/mixture.js';
import { transformer } from '../layers/transformer.js';

/** Mixtral (Jiang et al. 2024): Mistral with experts in every layer, weighted by their renormalised probabilities. */
export const mixtral: Family = {
  name: 'mixtral',
  architectures: ['MixtralForCausalLM'],
  modelTypes: ['mixtral'],
  rename: oneExpert,
  read(file) {
    const decoder = readDecoder(file, 'mixtral');
    const experts = readSize(file, ['num_local_experts', 'num_experts'], 8);
    const perToken = readSize(file, 'num_experts_per_tok', 2);
    const window = readOptionalSize(file, 'sliding_window');
    const width = decoder.shape.dMlp;
    const shape = withMixture(file, decoder.shape, { experts, perToken, dExpert: width, dShared: 0 });
    const neurons = { width, activation: decoder.activation, parts: { gate: 'w1', up: 'w3', down: 'w2' } };
    const ofExperts = { experts, perToken, renormalise: true, neurons };
    return transformer({
      ...decoder,
      shape,
      attention: selfAttention(decoder, () => ({ window })),
      mlp: (block, name, x) => softmaxMixture(block, `${name}.block_sparse_moe`, x, ofExperts),
    });
  },
};

const PARTS: Readonly<Record<string, string>> = { gate_proj: 'w1', up_proj: 'w3', down_proj: 'w2' };

/** transformers 5 calls router and experts as other families do where it does not save in the original format. */
function oneExpert(name: string): string {
  return name
    .replace(/\.mlp\.(?=gate\.|experts\.)/, '.block_sparse_moe.')
    .replace(
      /(\.block_sparse_moe\.experts\.\d+\.)(\w+_proj)\./,
      (_, before, part) => `${before}${PARTS[part] ?? part}.`,
    );
}
