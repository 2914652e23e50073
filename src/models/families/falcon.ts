import { z } from 'zod';
import { readConfigField } from '../../checkpoint/index.js';
import { mul } from '../../graph/index.js';
import { readOwnShape, readRotation } from '../config/decoder.js';
import { readActivation, readFlag, readNumber, readSize, unusable } from '../config/fields.js';
import type { ConfigFile, Family } from '../family.js';
import { attend, mixHeads, projectFused, rotateHeads } from '../layers/attention.js';
import { ungatedHalf } from '../layers/mlp.js';
import { layerNorm } from '../layers/norms.js';
import { causal, causalWithBias, roundedAlibiBias } from '../layers/positions.js';
import { type Layout, PRE_NORM, transformer } from '../layers/transformer.js';

/** Falcon: 7B (one key for all queries), 40B, 180B and Falcon 2 (groups of queries), and RW (linear biases). */
export const falcon: Family = {
  name: 'falcon',
  architectures: ['FalconForCausalLM'],
  modelTypes: ['falcon'],
  read(file) {
    const shape = readOwnShape(file, 'falcon', {
      layers: 'num_hidden_layers',
      dModel: ['n_embed', 'hidden_size'],
      heads: 'num_attention_heads',
      kvHeads: (heads) => readKvHeads(file, heads),
      dMlp: (dModel) => readSize(file, 'ffn_hidden_size', 4 * dModel),
      maxPositions: readSize(file, 'max_position_embeddings', 2048),
    });
    const { heads, dModel } = shape;
    const epsilon = readNumber(file, 'layer_norm_epsilon', 1e-5);
    const bias = readFlag(file, 'bias');
    const rotation = readFlag(file, 'alibi') ? null : readRotation(file, shape);
    const activation = readActivation(file, 'activation', 'gelu');
    return transformer({
      shape,
      tied: readFlag(file, 'tie_word_embeddings', true),
      names: {
        table: 'transformer.word_embeddings',
        layers: 'transformer.h',
        norm: 'transformer.ln_f',
        head: 'lm_head',
      },
      layout: readLayout(file),
      norm: (block, name, x) => layerNorm(block, name, x, epsilon, true),
      attention(block, layer, x) {
        const name = `${layer}.self_attention`;
        const projected = projectFused(block, `${name}.query_key_value`, x, shape, bias);
        // The bias is added before scores are scaled, unlike BLOOM's.
        const scaledBias = () =>
          mul(roundedAlibiBias(block, heads), block.graph.float(shape.headDim ** -0.5));
        const z =
          rotation === null
            ? attend(block, projected, causalWithBias(block, scaledBias()))
            : attend(block, rotateHeads(block, projected, rotation), causal(block, null));
        return mixHeads(block, `${name}.dense`, z, dModel, bias);
      },
      mlp: ungatedHalf({ width: shape.dMlp, activation, bias }),
    });
  },
};

/** @throws CheckpointError for a combination that transformers has no weights for */
function readLayout(file: ConfigFile): Layout {
  const parallel = readFlag(file, 'parallel_attn', true);
  const grouped = readFlag(file, 'new_decoder_architecture');
  const one = z.union([z.literal(1), z.literal(2)]).default(grouped ? 2 : 1);
  const norms = readConfigField(file, 'num_ln_in_parallel_attn', one);
  if ((grouped && !parallel) || (norms === 2 && !grouped)) {
    throw unusable(
      file,
      'a layout of layers that no Falcon model has',
      `parallel_attn ${parallel}, new_decoder_architecture ${grouped}, num_ln_in_parallel_attn ${norms}`,
    );
  }
  if (!parallel) return PRE_NORM;
  if (norms === 2) return { parallel, attention: ['ln_attn', null], mlp: ['ln_mlp', null] };
  return { parallel, attention: ['input_layernorm', null], mlp: ['input_layernorm', null] };
}

function readKvHeads(file: ConfigFile, heads: number): number {
  if (!readFlag(file, 'new_decoder_architecture')) return readFlag(file, 'multi_query', true) ? 1 : heads;
  const kvHeads = readSize(file, 'num_kv_heads', heads);
  if (heads % kvHeads === 0) return kvHeads;
  const what = 'num_attention_heads is no multiple of num_kv_heads';
  throw unusable(file, what, `${heads} heads, ${kvHeads} key/value heads`);
}
