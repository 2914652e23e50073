import { join } from 'node:path';
import { z } from 'zod';
import { positiveInteger, positiveNumber, readConfigField, readRope } from '../../checkpoint/index.js';
import { headSize, readActivation, readHead } from '../config/decoder.js';
import { rotationOf } from '../config/rope.js';
import type { Family } from '../family.js';
import { attend, mixHeads, projectFused, rotateHeads } from '../layers/attention.js';
import { unembedNormed } from '../layers/ends.js';
import { type Half, parallelLayer, sequentialLayer } from '../layers/layer.js';
import { ungatedMlp } from '../layers/mlp.js';
import { layerNorm } from '../layers/norms.js';
import { causal } from '../layers/positions.js';

/** GPT-NeoX and Pythia: attention and MLP side by side, heads rotated in part. */
export const gptNeox: Family = {
  name: 'gpt-neox',
  architectures: ['GPTNeoXForCausalLM'],
  base: 'gpt_neox',
  read(file) {
    const size = (field: string): number => readConfigField(file, field, positiveInteger);
    const flag = (field: string): boolean => readConfigField(file, field, z.boolean().default(true));
    const dModel = size('hidden_size');
    const heads = size('num_attention_heads');
    const headDim = headSize(file, dModel, heads);
    const vocab = size('vocab_size');
    const dMlp = size('intermediate_size');
    const activation = readActivation(file, 'hidden_act', 'gelu');
    const epsilon = readConfigField(file, 'layer_norm_eps', positiveNumber.default(1e-5));
    const bias = flag('attention_bias');
    const layerOf = flag('use_parallel_residual') ? parallelLayer : sequentialLayer;
    const where = join(file.folder, 'config.json');
    const { rotary_emb_base, rotary_pct } = file.config;
    const rope = readRope(
      {
        ...file.config,
        rope_theta: rotary_emb_base ?? file.config.rope_theta,
        partial_rotary_factor: rotary_pct ?? file.config.partial_rotary_factor ?? DEFAULT_ROTARY_SHARE,
      },
      where,
    );
    const maxPositions = size('max_position_embeddings');
    const rotation = rotationOf(rope, { headDim, maxPositions, where });
    const names = {
      table: 'gpt_neox.embed_in',
      norm: 'gpt_neox.final_layer_norm',
      head: readHead(file, 'embed_out', false),
    };
    const sizes = { heads, kvHeads: heads, headDim };
    return {
      shape: {
        family: 'gpt-neox',
        layers: size('num_hidden_layers'),
        dModel,
        ...sizes,
        dMlp,
        experts: null,
        vocab,
        maxPositions,
      },
      embed: (block, ids) => block.weightRows('gpt_neox.embed_in.weight', [vocab, dModel], ids),
      layer(block, index, hidden) {
        const name = `gpt_neox.layers.${index}`;
        const attention: Half = (x) => {
          const normed = layerNorm(block, `${name}.input_layernorm`, x, epsilon, true);
          const projected = projectFused(block, `${name}.attention.query_key_value`, normed, sizes, bias);
          const z = attend(block, rotateHeads(block, projected, rotation), causal(block, null));
          return mixHeads(block, `${name}.attention.dense`, z, dModel, bias);
        };
        const mlp: Half = (x) =>
          ungatedMlp(block, layerNorm(block, `${name}.post_attention_layernorm`, x, epsilon, true), {
            width: dMlp,
            activation,
            bias: true,
            up: `${name}.mlp.dense_h_to_4h`,
            down: `${name}.mlp.dense_4h_to_h`,
          });
        return layerOf(block, hidden, attention, mlp);
      },
      unembed: (block, hidden) => unembedNormed(block, hidden, names, vocab, epsilon),
    };
  },
};

/** `rotary_pct` of GPT-NeoX-20B, transformers' default. */
const DEFAULT_ROTARY_SHARE = 0.25;
