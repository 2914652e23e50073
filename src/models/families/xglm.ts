import { z } from 'zod';
import {
  nonnegativeInteger,
  positiveInteger,
  readConfigField,
  readRenamedField,
} from '../../checkpoint/index.js';
import { add } from '../../graph/index.js';
import { headSize, readActivation, readHead } from '../config/decoder.js';
import type { Family } from '../family.js';
import { attend, mixHeads, projectHeads } from '../layers/attention.js';
import { unembedNormed } from '../layers/ends.js';
import { sequentialLayer } from '../layers/layer.js';
import { scaled } from '../layers/linear.js';
import { ungatedMlp } from '../layers/mlp.js';
import { layerNorm } from '../layers/norms.js';
import { causal, sinusoidalPositions } from '../layers/positions.js';

/** XGLM: sinusoidal positions added to a scaled embedding. */
export const xglm: Family = {
  name: 'xglm',
  architectures: ['XGLMForCausalLM'],
  base: 'model',
  read(file) {
    const size = (...names: [string, ...string[]]): number => readRenamedField(file, names, positiveInteger);
    const dModel = readRenamedField(file, ['d_model', 'hidden_size'], positiveInteger.min(LEAST_WIDTH));
    const heads = size('attention_heads', 'num_attention_heads');
    const headDim = headSize(file, dModel, heads);
    const vocab = size('vocab_size');
    const dMlp = size('ffn_dim');
    const activation = readActivation(file, 'activation_function', 'gelu');
    const scale = readConfigField(file, 'scale_embedding', z.boolean().default(true)) ? Math.sqrt(dModel) : 1;
    const padding = readConfigField(file, 'pad_token_id', nonnegativeInteger.default(1));
    readConfigField(file, 'add_cross_attention', z.literal(false).default(false));
    const names = {
      table: 'model.embed_tokens',
      norm: 'model.layer_norm',
      head: readHead(file, 'lm_head', true),
    };
    const sizes = { heads, kvHeads: heads, headDim };
    return {
      shape: {
        family: 'xglm',
        layers: size('num_layers', 'num_hidden_layers'),
        dModel,
        ...sizes,
        dMlp,
        experts: null,
        vocab,
        maxPositions: size('max_position_embeddings'),
      },
      embed: (block, ids) =>
        add(
          scaled(block.weightRows('model.embed_tokens.weight', [vocab, dModel], ids), scale),
          sinusoidalPositions(block, dModel, padding),
        ),
      layer(block, index, hidden) {
        const name = `model.layers.${index}`;
        return sequentialLayer(
          block,
          hidden,
          (x) => {
            const normed = layerNorm(block, `${name}.self_attn_layer_norm`, x, EPSILON, true);
            const projected = projectHeads(block, `${name}.self_attn`, normed, sizes, true);
            const z = attend(block, projected, causal(block, null));
            return mixHeads(block, `${name}.self_attn.out_proj`, z, dModel, true);
          },
          (x) =>
            ungatedMlp(block, layerNorm(block, `${name}.final_layer_norm`, x, EPSILON, true), {
              width: dMlp,
              activation,
              bias: true,
              up: `${name}.fc1`,
              down: `${name}.fc2`,
            }),
        );
      },
      unembed: (block, hidden) => unembedNormed(block, hidden, names, vocab, EPSILON),
    };
  },
};

/** ε of every norm: PyTorch's default, which no configuration changes. */
const EPSILON = 1e-5;

/** Fewer elements have no two frequencies. */
const LEAST_WIDTH = 4;
