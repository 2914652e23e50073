import { join } from 'node:path';
import { z } from 'zod';
import { checkSizes, positiveInteger, positiveNumber, readConfigField } from '../../checkpoint/index.js';
import { CheckpointError } from '../../errors.js';
import { add, type Float, softmax } from '../../graph/index.js';
import {
  readActivation,
  readFlag,
  readRotation,
  readShape,
  readWindows,
  withDefaults,
} from '../config/decoder.js';
import type { Architecture, ConfigFile, Family } from '../family.js';
import { normHeads, type Projected, selfAttention } from '../layers/attention.js';
import type { Block } from '../layers/block.js';
import { embedTokens, unembedTokens } from '../layers/ends.js';
import { sequentialLayer } from '../layers/layer.js';
import { scaled, softCap } from '../layers/linear.js';
import { gatedMlp } from '../layers/mlp.js';
import { gemmaNorm } from '../layers/norms.js';
import { causalMask } from '../layers/positions.js';
import type { Rotation } from '../layers/rope.js';

const DEFAULTS = {
  head_dim: 256,
  hidden_activation: 'gelu_pytorch_tanh',
  tie_word_embeddings: true,
  query_pre_attn_scalar: 256,
  sliding_window: 4096,
};

/** Gemma 2: norms before and after each half of a layer, capped scores and logits, windows in every other layer. */
export const gemma2: Family = {
  name: 'gemma2',
  architectures: ['Gemma2ForCausalLM'],
  read(unread) {
    const caps = { attn_logit_softcapping: 50, final_logit_softcapping: 30 };
    const file = withDefaults(unread, { ...DEFAULTS, ...caps });
    const shape = readShape(file, 'gemma2');
    const rotation = readRotation(file, shape);
    return sandwich(file, shape, {
      windows: readWindows(file, shape.layers, (layer) => (layer + 1) % 2 !== 0),
      rotation: () => rotation,
      prepare: (_block, _name, projected) => projected,
    });
  },
};

/** Gemma 3's text model: normalised queries and keys instead of caps, and a rope of their own in layers with windows. */
export const gemma3: Family = {
  name: 'gemma3',
  architectures: ['Gemma3ForCausalLM'],
  read(unread) {
    const file = withDefaults(unread, { ...DEFAULTS, rope_theta: 1e6, rope_local_base_freq: 1e4 });
    refuseBidirectional(file);
    const shape = readShape(file, 'gemma3');
    const pattern = readConfigField(file, 'sliding_window_pattern', positiveInteger.default(6));
    const windows = readWindows(file, shape.layers, (layer) => (layer + 1) % pattern !== 0);
    const global = readRotation(file, shape, 'full_attention');
    const local = readRotation(localRope(file), shape, 'sliding_attention');
    const epsilon = readConfigField(file, 'rms_norm_eps', positiveNumber);
    return sandwich(file, shape, {
      windows,
      rotation: (layer) => (windows[layer] === null ? global : local),
      prepare: (block, name, heads) =>
        normHeads(name, heads, (norm, x) => gemmaNorm(block, norm, x, epsilon)),
    });
  },
};

/** Defaults of fields that a configuration of the kind below may leave out, as 4B's does. */
const TEXT_DEFAULTS = {
  vocab_size: 262_208,
  hidden_size: 2304,
  intermediate_size: 9216,
  num_hidden_layers: 26,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  rms_norm_eps: 1e-6,
  max_position_embeddings: 131_072,
};

/** The language model of Gemma 3 with a vision tower, which is left where it is. */
export const gemma3Multimodal: Family = {
  name: 'gemma3-multimodal',
  architectures: ['Gemma3ForConditionalGeneration'],
  stored: (name) => [`language_model.${name}`, name.replace(/^model\./, 'model.language_model.')],
  read(file) {
    const text = readConfigField(file, 'text_config', z.record(z.string(), z.unknown()));
    const ofText = withDefaults({ ...file, config: text }, TEXT_DEFAULTS);
    checkSizes(ofText);
    const { shape, ...graphs } = gemma3.read(ofText, 'Gemma3ForCausalLM');
    return { ...graphs, shape: { ...shape, family: 'gemma3-multimodal' } };
  },
};

/** Until transformers 5 wrote a rope for each type of layer, that of layers with windows had but its base. */
function localRope(file: ConfigFile): ConfigFile {
  if ((file.config.rope_parameters ?? null) !== null) return file;
  const rope = { rope_theta: file.config.rope_local_base_freq, rope_scaling: null };
  return { ...file, config: { ...file.config, ...rope } };
}

function refuseBidirectional(file: ConfigFile): void {
  if (!readFlag(file, 'use_bidirectional_attention')) return;
  throw new CheckpointError({
    what: 'attention in both directions is not supported',
    where: join(file.folder, 'config.json'),
    found: 'use_bidirectional_attention true',
    remedy: 'none: this is an embedding model, and babelscope reads language models',
  });
}

interface Variant {
  readonly windows: readonly (number | null)[];
  readonly rotation: (layer: number) => Rotation;
  /** Prepares queries and keys before they are rotated. */
  readonly prepare: (block: Block, name: string, projected: Projected) => Projected;
}

/** Layers with norms before and after each half. */
function sandwich(
  file: ConfigFile,
  shape: Architecture['shape'],
  { windows, rotation, prepare }: Variant,
): Architecture {
  const epsilon = readConfigField(file, 'rms_norm_eps', positiveNumber);
  const activation = readActivation(file, 'hidden_activation');
  const tied = readFlag(file, 'tie_word_embeddings');
  const bias = readFlag(file, 'attention_bias');
  const scale = readConfigField(file, 'query_pre_attn_scalar', positiveNumber) ** -0.5;
  const cap = (field: string): number | null =>
    readConfigField(file, field, positiveNumber.optional()) ?? null;
  const scoreCap = cap('attn_logit_softcapping');
  const logitCap = cap('final_logit_softcapping');
  const attention = (block: Block, name: string, x: Float, layer: number): Float =>
    selfAttention(block, name, x, {
      ...shape,
      rotation: rotation(layer),
      bias: { qkv: bias, out: bias },
      prepare: (heads) => prepare(block, name, heads),
      pattern: (scores) => softmax(add(softCap(scores, scoreCap), causalMask(block, windows[layer]!))),
      scale,
    });
  return {
    shape,
    embed: (block, ids) => scaled(embedTokens(block, ids, shape), Math.sqrt(shape.dModel)),
    layer(block, index, hidden) {
      const name = `model.layers.${index}`;
      const norm = (part: string, x: Float): Float =>
        gemmaNorm(block, `${name}.${part}_layernorm`, x, epsilon);
      const mlp = { width: shape.dMlp, activation, bias: false };
      return sequentialLayer(
        block,
        hidden,
        (x) => norm('post_attention', attention(block, `${name}.self_attn`, norm('input', x), index)),
        (x) => norm('post_feedforward', gatedMlp(block, `${name}.mlp`, norm('pre_feedforward', x), mlp)),
      );
    },
    unembed: (block, hidden) =>
      softCap(unembedTokens(block, gemmaNorm(block, 'model.norm', hidden, epsilon), shape, tied), logitCap),
  };
}
