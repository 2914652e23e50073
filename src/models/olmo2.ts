import { z } from 'zod';
import { readConfigField } from '../checkpoint/config-field.js';
import { add } from '../graph/operators/index.js';
import { readDecoder, tokenEnds } from './decoder.js';
import type { Family } from './family.js';
import { gatedMlp, rmsNorm, selfAttention } from './parts.js';

/** OLMo 2: norms after attention and MLP instead of before, and over all queries and all keys at once. */
export const olmo2: Family = {
  name: 'olmo2',
  architectures: ['Olmo2ForCausalLM'],
  read(file) {
    const decoder = readDecoder(file, 'olmo2');
    const { shape, activation, epsilon, inverseFrequencies } = decoder;
    const bias = readConfigField(file, 'attention_bias', z.boolean().default(false));
    return {
      shape,
      ...tokenEnds(decoder),
      layer(block, index, pre) {
        const name = `model.layers.${index}`;
        block.hook('hook_resid_pre', pre);
        const attended = selfAttention(block, `${name}.self_attn`, pre, {
          ...shape,
          inverseFrequencies,
          bias: { qkv: bias, out: bias },
          window: null,
          fullNormEpsilon: epsilon,
        });
        const mid = add(pre, rmsNorm(block, `${name}.post_attention_layernorm`, attended, epsilon));
        block.hook('hook_resid_mid', mid);
        const fed = gatedMlp(block, `${name}.mlp`, mid, { dMlp: shape.dMlp, activation, bias: false });
        const post = add(mid, rmsNorm(block, `${name}.post_feedforward_layernorm`, fed, epsilon));
        block.hook('hook_resid_post', post);
        return post;
      },
    };
  },
};
