import { z } from 'zod';
import { readConfigField } from '../../checkpoint/index.js';
import { readOwnShape } from '../config/decoder.js';
import { readFlag, readNumber, readSize } from '../config/fields.js';
import type { Family } from '../family.js';
import { attend, mixHeads, projectFused } from '../layers/attention.js';
import { ungatedHalf } from '../layers/mlp.js';
import { layerNorm } from '../layers/norms.js';
import { alibiBias, causalWithBias } from '../layers/positions.js';
import { transformer } from '../layers/transformer.js';

/** BLOOM: positions as linear biases of attention, and a norm on the embedding. */
export const bloom: Family = {
  name: 'bloom',
  architectures: ['BloomForCausalLM'],
  modelTypes: ['bloom'],
  read(file) {
    const shape = readOwnShape(file, 'bloom', {
      layers: ['num_hidden_layers', 'n_layer'],
      dModel: ['n_embed', 'hidden_size'],
      heads: ['num_attention_heads', 'n_head'],
      dMlp: (dModel) => 4 * dModel,
      maxPositions: readSize(file, 'seq_length', TRAINED_LENGTH),
    });
    const epsilon = readNumber(file, 'layer_norm_epsilon', 1e-5);
    readConfigField(file, 'apply_residual_connection_post_layernorm', z.literal(false).default(false));
    return transformer({
      shape,
      tied: readFlag(file, 'tie_word_embeddings', true),
      names: {
        table: 'transformer.word_embeddings',
        layers: 'transformer.h',
        norm: 'transformer.ln_f',
        head: 'lm_head',
      },
      norm: (block, name, x) => layerNorm(block, name, x, epsilon, true),
      embed: (block, rows) =>
        layerNorm(block, 'transformer.word_embeddings_layernorm', rows(), epsilon, true),
      attention(block, layer, x) {
        const name = `${layer}.self_attention`;
        const projected = projectFused(block, `${name}.query_key_value`, x, shape, true);
        const z = attend(block, projected, causalWithBias(block, alibiBias(block, shape.heads)));
        return mixHeads(block, `${name}.dense`, z, shape.dModel, true);
      },
      mlp: ungatedHalf({ width: shape.dMlp, activation: 'gelu_new' }),
    });
  },
};

/** Tokens of the sequences that all BLOOM models were trained on; most of their files do not say it. */
const TRAINED_LENGTH = 2048;
