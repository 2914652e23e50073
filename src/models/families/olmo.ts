import { clip, type Float } from '../../graph/index.js';
import { readDecoder } from '../config/decoder.js';
import { readFlag, readOptionalNumber } from '../config/fields.js';
import type { Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import { standardized } from '../layers/norms.js';
import { transformer } from '../layers/transformer.js';

/** ε of every norm, fixed in transformers. */
const EPSILON = 1e-5;

/** OLMo 1: layer norms without weights, and on request queries, keys and values limited to ±`clip_qkv`. */
export const olmo: Family = {
  name: 'olmo',
  architectures: ['OlmoForCausalLM'],
  modelTypes: ['olmo'],
  read(file) {
    const decoder = readDecoder(file, 'olmo', { epsilon: EPSILON });
    const bias = readFlag(file, 'attention_bias');
    const limit = readOptionalNumber(file, 'clip_qkv');
    const limited = (x: Float): Float => (limit === null ? x : clip(x, limit));
    return transformer({
      ...decoder,
      norm: (_block, _name, x) => standardized(x, EPSILON),
      attention: selfAttention(decoder, () => ({
        bias,
        prepare: ({ q, k, v }) => ({ q: limited(q), k: limited(k), v: limited(v) }),
      })),
    });
  },
};
