import { positiveNumber, readConfigField } from '../../checkpoint/index.js';
import { clip, type Float } from '../../graph/index.js';
import { readActivation, readFlag, readRotation, readShape } from '../config/decoder.js';
import type { Family } from '../family.js';
import { attend, mixHeads, projectHeads, rotateHeads } from '../layers/attention.js';
import type { Block } from '../layers/block.js';
import { embedTokens, unembedTokens } from '../layers/ends.js';
import { sequentialLayer } from '../layers/layer.js';
import { gatedMlp } from '../layers/mlp.js';
import { standardized } from '../layers/norms.js';
import { causal } from '../layers/positions.js';

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
    const bias = readFlag(file, 'attention_bias');
    const limit = readConfigField(file, 'clip_qkv', positiveNumber.optional()) ?? null;
    const limited = (x: Float): Float => (limit === null ? x : clip(x, limit));
    const attention = (block: Block, name: string, x: Float): Float => {
      const { q, k, v } = projectHeads(block, name, x, shape, bias);
      const rotated = rotateHeads(block, { q: limited(q), k: limited(k), v: limited(v) }, rotation);
      return mixHeads(
        block,
        `${name}.o_proj`,
        attend(block, rotated, causal(block, null)),
        shape.dModel,
        bias,
      );
    };
    return {
      shape,
      embed: (block, ids) => embedTokens(block, ids, shape),
      layer: (block, index, hidden) =>
        sequentialLayer(
          block,
          hidden,
          (x) => attention(block, `model.layers.${index}.self_attn`, standardized(x, EPSILON)),
          (x) =>
            gatedMlp(block, `model.layers.${index}.mlp`, standardized(x, EPSILON), {
              width: shape.dMlp,
              activation,
              bias: false,
            }),
        ),
      unembed: (block, hidden) => unembedTokens(block, standardized(hidden, EPSILON), shape, tied),
    };
  },
};
