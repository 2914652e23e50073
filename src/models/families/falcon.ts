import { join } from 'node:path';
import { z } from 'zod';
import {
  positiveInteger,
  positiveNumber,
  readConfigField,
  readRenamedField,
  readRope,
} from '../../checkpoint/index.js';
import { CheckpointError } from '../../errors.js';
import { mul } from '../../graph/index.js';
import { headSize, readActivation, readHead } from '../config/decoder.js';
import { rotationOf } from '../config/rope.js';
import type { ConfigFile, Family } from '../family.js';
import { attend, mixHeads, projectFused, rotateHeads } from '../layers/attention.js';
import { unembedNormed } from '../layers/ends.js';
import { type Half, parallelLayer, sequentialLayer } from '../layers/layer.js';
import { ungatedMlp } from '../layers/mlp.js';
import { layerNorm } from '../layers/norms.js';
import { causal, causalWithBias, roundedAlibiBias } from '../layers/positions.js';

/** Falcon: 7B (one key for all queries), 40B, 180B and Falcon 2 (groups of queries), and RW (linear biases). */
export const falcon: Family = {
  name: 'falcon',
  architectures: ['FalconForCausalLM'],
  base: 'transformer',
  read(file) {
    const size = (...names: [string, ...string[]]): number => readRenamedField(file, names, positiveInteger);
    const dModel = size('n_embed', 'hidden_size');
    const heads = size('num_attention_heads');
    const headDim = headSize(file, dModel, heads);
    const vocab = size('vocab_size');
    const dMlp = readConfigField(file, 'ffn_hidden_size', positiveInteger.default(4 * dModel));
    const activation = readActivation(file, 'activation', 'gelu');
    const epsilon = readConfigField(file, 'layer_norm_epsilon', positiveNumber.default(1e-5));
    const bias = readConfigField(file, 'bias', z.boolean().default(false));
    const alibi = readConfigField(file, 'alibi', z.boolean().default(false));
    const layout = readLayout(file);
    const kvHeads = readKvHeads(file, heads);
    const where = join(file.folder, 'config.json');
    const maxPositions = readConfigField(file, 'max_position_embeddings', positiveInteger.default(2048));
    const rotation = alibi
      ? null
      : rotationOf(readRope(file.config, where), { headDim, maxPositions, where });
    const names = {
      table: 'transformer.word_embeddings',
      norm: 'transformer.ln_f',
      head: readHead(file, 'lm_head', true),
    };
    const sizes = { heads, kvHeads, headDim };
    return {
      shape: {
        family: 'falcon',
        layers: size('num_hidden_layers'),
        dModel,
        ...sizes,
        dMlp,
        experts: null,
        vocab,
        maxPositions,
      },
      embed: (block, ids) => block.weightRows('transformer.word_embeddings.weight', [vocab, dModel], ids),
      layer(block, index, hidden) {
        const name = `transformer.h.${index}`;
        const norm = (part: string, x: Parameters<Half>[0]) =>
          layerNorm(block, `${name}.${part}`, x, epsilon, true);
        const attention: Half = (x) => {
          const qkv = `${name}.self_attention.query_key_value`;
          const projected = projectFused(block, qkv, norm(layout.attentionNorm, x), sizes, bias);
          const z =
            rotation === null
              ? attend(block, projected, causalWithBias(block, scaledBias(block)))
              : attend(block, rotateHeads(block, projected, rotation), causal(block, null));
          return mixHeads(block, `${name}.self_attention.dense`, z, dModel, bias);
        };
        // The bias is added before scores are scaled, unlike BLOOM's.
        const scaledBias = (b: typeof block) =>
          mul(roundedAlibiBias(b, heads), b.graph.float(headDim ** -0.5));
        const mlp: Half = (x) =>
          ungatedMlp(block, norm(layout.mlpNorm, x), {
            width: dMlp,
            activation,
            bias,
            up: `${name}.mlp.dense_h_to_4h`,
            down: `${name}.mlp.dense_4h_to_h`,
          });
        return (layout.parallel ? parallelLayer : sequentialLayer)(block, hidden, attention, mlp);
      },
      unembed: (block, hidden) => unembedNormed(block, hidden, names, vocab, epsilon),
    };
  },
};

interface Layout {
  readonly parallel: boolean;
  /** Names of the norms; the same where attention and MLP share one. */
  readonly attentionNorm: string;
  readonly mlpNorm: string;
}

/** @throws CheckpointError for a combination that transformers has no weights for */
function readLayout(file: ConfigFile): Layout {
  const parallel = readConfigField(file, 'parallel_attn', z.boolean().default(true));
  const grouped = readConfigField(file, 'new_decoder_architecture', z.boolean().default(false));
  const norms = readConfigField(
    file,
    'num_ln_in_parallel_attn',
    z.union([z.literal(1), z.literal(2)]).default(grouped ? 2 : 1),
  );
  if ((grouped && !parallel) || (norms === 2 && !grouped)) {
    throw new CheckpointError({
      what: 'a layout of layers that no Falcon model has',
      where: join(file.folder, 'config.json'),
      found: `parallel_attn ${parallel}, new_decoder_architecture ${grouped}, num_ln_in_parallel_attn ${norms}`,
      remedy: 'download config.json again',
    });
  }
  if (!parallel) return { parallel, attentionNorm: 'input_layernorm', mlpNorm: 'post_attention_layernorm' };
  if (norms === 2) return { parallel, attentionNorm: 'ln_attn', mlpNorm: 'ln_mlp' };
  return { parallel, attentionNorm: 'input_layernorm', mlpNorm: 'input_layernorm' };
}

function readKvHeads(file: ConfigFile, heads: number): number {
  if (!readConfigField(file, 'new_decoder_architecture', z.boolean().default(false))) {
    return readConfigField(file, 'multi_query', z.boolean().default(true)) ? 1 : heads;
  }
  const kvHeads = readConfigField(file, 'num_kv_heads', positiveInteger.default(heads));
  if (heads % kvHeads === 0) return kvHeads;
  throw new CheckpointError({
    what: 'num_attention_heads is no multiple of num_kv_heads',
    where: join(file.folder, 'config.json'),
    found: `${heads} heads, ${kvHeads} key/value heads`,
    remedy: 'download config.json again',
  });
}
