import { readOwnShape, readRotation } from '../config/decoder.js';
import { readActivation, readFlag, readNumber, readSize } from '../config/fields.js';
import type { ConfigFile, Family } from '../family.js';
import { attend, mixHeads, projectFused, rotateHeads } from '../layers/attention.js';
import { ungatedHalf } from '../layers/mlp.js';
import { layerNorm } from '../layers/norms.js';
import { causal } from '../layers/positions.js';
import { PRE_NORM, transformer } from '../layers/transformer.js';

/** GPT-NeoX and Pythia: attention and MLP side by side, heads rotated in part. */
export const gptNeox: Family = {
  name: 'gpt-neox',
  architectures: ['GPTNeoXForCausalLM'],
  modelTypes: ['gpt_neox'],
  read(file) {
    const shape = readOwnShape(file, 'gpt-neox', {
      layers: 'num_hidden_layers',
      dModel: 'hidden_size',
      heads: 'num_attention_heads',
      dMlp: () => readSize(file, 'intermediate_size'),
      maxPositions: readSize(file, 'max_position_embeddings'),
    });
    const activation = readActivation(file, 'hidden_act', 'gelu');
    const epsilon = readNumber(file, 'layer_norm_eps', 1e-5);
    const bias = readFlag(file, 'attention_bias', true);
    const rotation = readRotation(withRotaryNames(file), shape, {
      partialRotaryFactor: DEFAULT_ROTARY_SHARE,
    });
    return transformer({
      shape,
      tied: readFlag(file, 'tie_word_embeddings'),
      names: {
        table: 'gpt_neox.embed_in',
        layers: 'gpt_neox.layers',
        norm: 'gpt_neox.final_layer_norm',
        head: 'embed_out',
      },
      layout: { ...PRE_NORM, parallel: readFlag(file, 'use_parallel_residual', true) },
      norm: (block, name, x) => layerNorm(block, name, x, epsilon, true),
      attention(block, layer, x) {
        const name = `${layer}.attention`;
        const projected = projectFused(block, `${name}.query_key_value`, x, shape, bias);
        const z = attend(block, rotateHeads(block, projected, rotation), causal(block, null));
        return mixHeads(block, `${name}.dense`, z, shape.dModel, bias);
      },
      mlp: ungatedHalf({ width: shape.dMlp, activation }),
    });
  },
};

/** `rotary_pct` of GPT-NeoX-20B, transformers' default. */
const DEFAULT_ROTARY_SHARE = 0.25;

/** The file with the family's own fields of its rope under the names of others. */
function withRotaryNames(file: ConfigFile): ConfigFile {
  const { rotary_emb_base, rotary_pct, ...config } = file.config;
  const rope = {
    rope_theta: rotary_emb_base ?? config.rope_theta,
    partial_rotary_factor: rotary_pct ?? config.partial_rotary_factor,
  };
  return { ...file, config: { ...config, ...rope } };
}
