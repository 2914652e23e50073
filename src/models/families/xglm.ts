import { z } from 'zod';
import {
  nonnegativeInteger,
  positiveInteger,
  readConfigField,
  readRenamedField,
} from '../../checkpoint/index.js';
import { add } from '../../graph/index.js';
import { readOwnShape } from '../config/decoder.js';
import { readActivation, readFlag, readSize } from '../config/fields.js';
import type { Family } from '../family.js';
import { attend, mixHeads, projectHeads } from '../layers/attention.js';
import { scaled } from '../layers/linear.js';
import { ungatedHalf } from '../layers/mlp.js';
import { layerNorm } from '../layers/norms.js';
import { causal, sinusoidalPositions } from '../layers/positions.js';
import { transformer } from '../layers/transformer.js';

/** XGLM: sinusoidal positions added to a scaled embedding. */
export const xglm: Family = {
  name: 'xglm',
  architectures: ['XGLMForCausalLM'],
  modelTypes: ['xglm'],
  read(file) {
    readRenamedField(file, WIDTH, positiveInteger.min(LEAST_WIDTH));
    const shape = readOwnShape(file, 'xglm', {
      layers: ['num_layers', 'num_hidden_layers'],
      dModel: WIDTH,
      heads: ['attention_heads', 'num_attention_heads'],
      dMlp: () => readSize(file, 'ffn_dim'),
      maxPositions: readSize(file, 'max_position_embeddings'),
    });
    const { dModel } = shape;
    const activation = readActivation(file, 'activation_function', 'gelu');
    const scale = readFlag(file, 'scale_embedding', true) ? Math.sqrt(dModel) : 1;
    const padding = readConfigField(file, 'pad_token_id', nonnegativeInteger.default(1));
    readConfigField(file, 'add_cross_attention', z.literal(false).default(false));
    return transformer({
      shape,
      tied: readFlag(file, 'tie_word_embeddings', true),
      names: {
        table: 'model.embed_tokens',
        layers: 'model.layers',
        norm: 'model.layer_norm',
        head: 'lm_head',
      },
      layout: { attention: ['self_attn_layer_norm', null], mlp: ['final_layer_norm', null], parallel: false },
      norm: (block, name, x) => layerNorm(block, name, x, EPSILON, true),
      embed: (block, rows) => add(scaled(rows(), scale), sinusoidalPositions(block, dModel, padding)),
      attention(block, layer, x) {
        const name = `${layer}.self_attn`;
        const z = attend(block, projectHeads(block, name, x, shape, true), causal(block, null));
        return mixHeads(block, `${name}.out_proj`, z, dModel, true);
      },
      mlp: ungatedHalf({ width: shape.dMlp, activation, parts: { up: 'fc1', down: 'fc2' } }),
    });
  },
};

/** ε of every norm: PyTorch's default, which no configuration changes. */
const EPSILON = 1e-5;

const WIDTH = ['d_model', 'hidden_size'] as const;
/** Fewer elements have no two frequencies. */
const LEAST_WIDTH = 4;
