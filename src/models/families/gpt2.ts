import { z } from 'zod';
import { readConfigField } from '../../checkpoint/index.js';
import { add, slice } from '../../graph/index.js';
import { readOwnShape } from '../config/decoder.js';
import { readActivation, readFlag, readNumber, readSize } from '../config/fields.js';
import type { Family } from '../family.js';
import { attend, mixHeadsConv1d, splitHeads } from '../layers/attention.js';
import { conv1d } from '../layers/linear.js';
import { ungatedHalf } from '../layers/mlp.js';
import { layerNorm } from '../layers/norms.js';
import { causal } from '../layers/positions.js';
import { transformer } from '../layers/transformer.js';

/** GPT-2 and mGPT: learned positions, and every projection stored the other way round. */
export const gpt2: Family = {
  name: 'gpt2',
  architectures: ['GPT2LMHeadModel'],
  modelTypes: ['gpt2'],
  read(file) {
    const shape = readOwnShape(file, 'gpt2', {
      layers: ['n_layer', 'num_hidden_layers'],
      dModel: ['n_embd', 'hidden_size'],
      heads: ['n_head', 'num_attention_heads'],
      dMlp: (dModel) => readSize(file, 'n_inner', 4 * dModel),
      maxPositions: readSize(file, ['n_positions', 'max_position_embeddings']),
    });
    const { heads, headDim, dModel, maxPositions } = shape;
    const activation = readActivation(file, 'activation_function', 'gelu_new');
    const epsilon = readNumber(file, 'layer_norm_epsilon', 1e-5);
    readConfigField(file, 'add_cross_attention', z.literal(false).default(false));
    const scale = readFlag(file, 'scale_attn_weights', true) ? headDim ** -0.5 : 1;
    const byLayer = readFlag(file, 'scale_attn_by_inverse_layer_idx');
    return transformer({
      shape,
      mostPositions: maxPositions,
      tied: readFlag(file, 'tie_word_embeddings', true),
      names: {
        table: 'transformer.wte',
        layers: 'transformer.h',
        norm: 'transformer.ln_f',
        head: 'lm_head',
      },
      layout: { attention: ['ln_1', null], mlp: ['ln_2', null], parallel: false },
      norm: (block, name, x) => layerNorm(block, name, x, epsilon, true),
      embed(block, rows) {
        const positions = block.positions();
        return add(rows(), block.weightRows('transformer.wpe.weight', [maxPositions, dModel], positions));
      },
      attention(block, name, x, layer) {
        const fused = conv1d(block, `${name}.attn.c_attn`, x, 3 * dModel);
        const third = (i: number) => splitHeads(slice(fused, 2, i * dModel, (i + 1) * dModel), heads);
        const projected = { q: third(0), k: third(1), v: third(2) };
        const z = attend(block, projected, causal(block, null), byLayer ? scale / (layer + 1) : scale);
        return mixHeadsConv1d(block, `${name}.attn.c_proj`, z, dModel);
      },
      mlp: ungatedHalf({
        width: shape.dMlp,
        activation,
        parts: { up: 'mlp.c_fc', down: 'mlp.c_proj' },
        project: conv1d,
      }),
    });
  },
};
