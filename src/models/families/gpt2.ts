import { z } from 'zod';
import {
  positiveInteger,
  positiveNumber,
  readConfigField,
  readRenamedField,
} from '../../checkpoint/index.js';
import { add, slice } from '../../graph/index.js';
import { headSize, readActivation, readHead } from '../config/decoder.js';
import type { Family } from '../family.js';
import { attend, mixHeadsConv1d, splitHeads } from '../layers/attention.js';
import { unembedNormed } from '../layers/ends.js';
import { sequentialLayer } from '../layers/layer.js';
import { conv1d } from '../layers/linear.js';
import { ungatedMlp } from '../layers/mlp.js';
import { layerNorm } from '../layers/norms.js';
import { causal } from '../layers/positions.js';

/** GPT-2 and mGPT: learned positions, and every projection stored the other way round. */
export const gpt2: Family = {
  name: 'gpt2',
  architectures: ['GPT2LMHeadModel'],
  base: 'transformer',
  read(file) {
    const size = (...names: [string, ...string[]]): number => readRenamedField(file, names, positiveInteger);
    const flag = (field: string, byDefault: boolean): boolean =>
      readConfigField(file, field, z.boolean().default(byDefault));
    const dModel = size('n_embd', 'hidden_size');
    const heads = size('n_head', 'num_attention_heads');
    const headDim = headSize(file, dModel, heads);
    const maxPositions = size('n_positions', 'max_position_embeddings');
    const vocab = size('vocab_size');
    const dMlp = readConfigField(file, 'n_inner', positiveInteger.default(4 * dModel));
    const activation = readActivation(file, 'activation_function', 'gelu_new');
    const epsilon = readConfigField(file, 'layer_norm_epsilon', positiveNumber.default(1e-5));
    readConfigField(file, 'add_cross_attention', z.literal(false).default(false));
    const scale = flag('scale_attn_weights', true) ? headDim ** -0.5 : 1;
    const byLayer = flag('scale_attn_by_inverse_layer_idx', false);
    const names = {
      table: 'transformer.wte',
      norm: 'transformer.ln_f',
      head: readHead(file, 'lm_head', true),
    };
    return {
      shape: {
        family: 'gpt2',
        layers: size('n_layer', 'num_hidden_layers'),
        dModel,
        heads,
        kvHeads: heads,
        headDim,
        dMlp,
        experts: null,
        vocab,
        maxPositions,
      },
      embed(block, ids) {
        const positions = block.positions();
        return add(
          block.weightRows('transformer.wte.weight', [vocab, dModel], ids),
          block.weightRows('transformer.wpe.weight', [maxPositions, dModel], positions),
        );
      },
      layer(block, index, hidden) {
        const name = `transformer.h.${index}`;
        return sequentialLayer(
          block,
          hidden,
          (x) => {
            const normed = layerNorm(block, `${name}.ln_1`, x, epsilon, true);
            const fused = conv1d(block, `${name}.attn.c_attn`, normed, 3 * dModel);
            const third = (i: number) => splitHeads(slice(fused, 2, i * dModel, (i + 1) * dModel), heads);
            const projected = { q: third(0), k: third(1), v: third(2) };
            const z = attend(block, projected, causal(block, null), byLayer ? scale / (index + 1) : scale);
            return mixHeadsConv1d(block, `${name}.attn.c_proj`, z, dModel);
          },
          (x) =>
            ungatedMlp(block, layerNorm(block, `${name}.ln_2`, x, epsilon, true), {
              width: dMlp,
              activation,
              bias: true,
              up: `${name}.mlp.c_fc`,
              down: `${name}.mlp.c_proj`,
              project: conv1d,
            }),
        );
      },
      unembed: (block, hidden) => unembedNormed(block, hidden, names, vocab, epsilon),
    };
  },
};
