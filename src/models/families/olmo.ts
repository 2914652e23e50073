import { positiveNumber, readConfigField } from '../../checkpoint/index.js';
import { clip, type Float } from '../../graph/index.js';
import { readActivation, readFlag, readRotation, readShape } from '../config/decoder.js';
import type { Family } from '../family.js';
import { type SelfAttention, selfAttention } from '../layers/attention.js';
import { embedTokens, unembedTokens } from '../layers/ends.js';
import { sequentialLayer } from '../layers/layer.js';
import { gatedMlp } from '../layers/mlp.js';
import { standardized } from '../layers/norms.js';

/** ε of every norm, fixed in transformers. */
const EPSILON = 1e-5;

/** OLMo 1: layer norms without weights, and on request queries, keys and values limited to ±`clip_qkv`. */
export const olmo: Family = {
  name: 'olmo',
  architectures: ['OlmoForCausalLM'],
  read(file) {
    const shape = readShape(file, 'olmo');
    const rotation = readRotation(file, shape);
    const activation = readActivation(file);
    const tied = readFlag(file, 'tie_word_embeddings');
    const attentionBias = readFlag(file, 'attention_bias');
    const limit = readConfigField(file, 'clip_qkv', positiveNumber.optional()) ?? null;
    const limited = (x: Float): Float => (limit === null ? x : clip(x, limit));
    const attention: SelfAttention = {
      ...shape,
      rotation,
      bias: { qkv: attentionBias, out: attentionBias },
      prepare: ({ q, k, v }) => ({ q: limited(q), k: limited(k), v: limited(v) }),
    };
    const mlp = { width: shape.dMlp, activation };
    return {
      shape,
      embed: (block, ids) => embedTokens(block, ids, shape),
      layer(block, index, hidden) {
        const name = `model.layers.${index}`;
        return sequentialLayer(
          block,
          hidden,
          (x) => selfAttention(block, `${name}.self_attn`, standardized(x, EPSILON), attention),
          (x) => gatedMlp(block, `${name}.mlp`, standardized(x, EPSILON), mlp),
        );
      },
      unembed: (block, hidden) => unembedTokens(block, standardized(hidden, EPSILON), shape, tied),
    };
  },
};
