import { z } from 'zod';
import {
  positiveInteger,
  positiveNumber,
  readConfigField,
  readRenamedField,
} from '../../checkpoint/index.js';
import { headSize, readHead } from '../config/decoder.js';
import type { Family } from '../family.js';
import { attend, mixHeads, projectFused } from '../layers/attention.js';
import { unembedNormed } from '../layers/ends.js';
import { sequentialLayer } from '../layers/layer.js';
import { ungatedMlp } from '../layers/mlp.js';
import { layerNorm } from '../layers/norms.js';
import { alibiBias, causalWithBias } from '../layers/positions.js';

/** BLOOM: positions as linear biases of attention, and a norm on the embedding. */
export const bloom: Family = {
  name: 'bloom',
  architectures: ['BloomForCausalLM'],
  base: 'transformer',
  read(file) {
    const size = (...names: [string, ...string[]]): number => readRenamedField(file, names, positiveInteger);
    const dModel = size('n_embed', 'hidden_size');
    const heads = size('num_attention_heads', 'n_head');
    const headDim = headSize(file, dModel, heads);
    const vocab = size('vocab_size');
    const dMlp = 4 * dModel;
    const epsilon = readConfigField(file, 'layer_norm_epsilon', positiveNumber.default(1e-5));
    readConfigField(file, 'apply_residual_connection_post_layernorm', z.literal(false).default(false));
    const names = {
      table: 'transformer.word_embeddings',
      norm: 'transformer.ln_f',
      head: readHead(file, 'lm_head', true),
    };
    const sizes = { heads, kvHeads: heads, headDim };
    return {
      shape: {
        family: 'bloom',
        layers: size('num_hidden_layers', 'n_layer'),
        dModel,
        ...sizes,
        dMlp,
        experts: null,
        vocab,
        maxPositions: readConfigField(file, 'seq_length', positiveInteger.default(TRAINED_LENGTH)),
      },
      embed: (block, ids) =>
        layerNorm(
          block,
          'transformer.word_embeddings_layernorm',
          block.weightRows('transformer.word_embeddings.weight', [vocab, dModel], ids),
          epsilon,
          true,
        ),
      layer(block, index, hidden) {
        const name = `transformer.h.${index}`;
        return sequentialLayer(
          block,
          hidden,
          (x) => {
            const normed = layerNorm(block, `${name}.input_layernorm`, x, epsilon, true);
            const attention = `${name}.self_attention`;
            const projected = projectFused(block, `${attention}.query_key_value`, normed, sizes, true);
            const z = attend(block, projected, causalWithBias(block, alibiBias(block, heads)));
            return mixHeads(block, `${attention}.dense`, z, dModel, true);
          },
          (x) =>
            ungatedMlp(block, layerNorm(block, `${name}.post_attention_layernorm`, x, epsilon, true), {
              width: dMlp,
              activation: 'gelu_new',
              bias: true,
              up: `${name}.mlp.dense_h_to_4h`,
              down: `${name}.mlp.dense_4h_to_h`,
            }),
        );
      },
      unembed: (block, hidden) => unembedNormed(block, hidden, names, vocab, epsilon),
    };
  },
};

/** Tokens of the sequences that all BLOOM models were trained on; most of their files do not say it. */
const TRAINED_LENGTH = 2048;
