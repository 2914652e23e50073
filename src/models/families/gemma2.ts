import { positiveInteger, readConfigField } from '../../checkpoint/index.js';
import { add, softmax } from '../../graph/index.js';
import { type Decoder, readDecoder, readRotation, readWindows } from '../config/decoder.js';
import { readFlag, readNumber, readOptionalNumber, unusable, withDefaults } from '../config/fields.js';
import { readTextPart } from '../config/text-part.js';
import type { Architecture, ConfigFile, Family } from '../family.js';
import { type AttentionOptions, normHeads, selfAttention } from '../layers/attention.js';
import { scaled, softCap } from '../layers/linear.js';
import { gemmaNorm } from '../layers/norms.js';
import { causalMask } from '../layers/positions.js';
import { type Layout, transformer } from '../layers/transformer.js';

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
  modelTypes: ['gemma2'],
  read(unread) {
    const caps = { attn_logit_softcapping: 50, final_logit_softcapping: 30 };
    const file = withDefaults(unread, { ...DEFAULTS, ...caps });
    const decoder = readDecoder(file, 'gemma2', { activation: 'hidden_activation' });
    const windows = readWindows(file, decoder.shape.layers, (layer) => (layer + 1) % 2 !== 0);
    return sandwich(file, decoder, windows, () => ({}));
  },
};

/** Gemma 3's text model: normalised queries and keys instead of caps, and a rope of their own in layers with windows. */
export const gemma3: Family = {
  name: 'gemma3',
  architectures: ['Gemma3ForCausalLM'],
  modelTypes: ['gemma3_text'],
  read(unread) {
    const file = withDefaults(unread, { ...DEFAULTS, rope_local_base_freq: 1e4 });
    refuseBidirectional(file);
    const fields = { activation: 'hidden_activation', rope: { layerType: 'full_attention', theta: 1e6 } };
    const decoder = readDecoder(file, 'gemma3', fields);
    const { shape, epsilon } = decoder;
    const pattern = readConfigField(file, 'sliding_window_pattern', positiveInteger.default(6));
    const windows = readWindows(file, shape.layers, (layer) => (layer + 1) % pattern !== 0);
    const local = readRotation(localRope(file), shape, { layerType: 'sliding_attention', theta: 1e4 });
    const prepare = normHeads((block, name, x) => gemmaNorm(block, name, x, epsilon));
    const { attn_logit_softcapping: cap, ...uncapped } = file.config;
    const parts = sandwich({ ...file, config: uncapped }, decoder, windows, (layer) => ({
      rotation: windows[layer] === null ? decoder.rotation : local,
      prepare,
    }));
    return { ...parts, warnings: ignored('attn_logit_softcapping', cap, 'in Gemma 3') };
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
  modelTypes: ['gemma3'],
  hasTextPart: true,
  read(file) {
    const ofText = withDefaults(readTextPart(file), TEXT_DEFAULTS);
    const { final_logit_softcapping: cap, ...config } = ofText.config;
    const { shape, warnings = [], ...graphs } = gemma3.read({ ...ofText, config }, 'Gemma3ForCausalLM');
    return {
      ...graphs,
      shape: { ...shape, family: 'gemma3-multimodal' },
      warnings: [...warnings, ...ignored('final_logit_softcapping', cap, 'in this class')],
    };
  },
};

/** A warning of a cap that config.json gives and that no version of transformers applies. */
function ignored(field: string, cap: unknown, where: string): string[] {
  if ((cap ?? null) === null) return [];
  return [`${field} of config.json is ignored ${where}, as transformers 4 and 5 ignore it`];
}

/** Until transformers 5 wrote a rope for each type of layer, that of layers with windows had but its base. */
function localRope(file: ConfigFile): ConfigFile {
  if ((file.config.rope_parameters ?? null) !== null) return file;
  const rope = { rope_theta: file.config.rope_local_base_freq, rope_scaling: null };
  return { ...file, config: { ...file.config, ...rope } };
}

function refuseBidirectional(file: ConfigFile): void {
  if (!readFlag(file, 'use_bidirectional_attention')) return;
  throw unusable(
    file,
    'attention in both directions is not supported',
    'use_bidirectional_attention true',
    'none: this is an embedding model, and babelscope reads language models',
  );
}

/** Norms before and after each half of a layer. */
const SANDWICH: Layout = {
  attention: ['input_layernorm', 'post_attention_layernorm'],
  mlp: ['pre_feedforward_layernorm', 'post_feedforward_layernorm'],
  parallel: false,
};

function sandwich(
  file: ConfigFile,
  decoder: Decoder,
  windows: readonly (number | null)[],
  variant: (layer: number) => AttentionOptions,
): Architecture {
  const { shape, epsilon } = decoder;
  const bias = readFlag(file, 'attention_bias');
  const scale = readNumber(file, 'query_pre_attn_scalar') ** -0.5;
  const scoreCap = readOptionalNumber(file, 'attn_logit_softcapping');
  const logitCap = readOptionalNumber(file, 'final_logit_softcapping');
  return transformer({
    ...decoder,
    layout: SANDWICH,
    norm: (block, name, x) => gemmaNorm(block, name, x, epsilon),
    embed: (_, rows) => scaled(rows(), Math.sqrt(shape.dModel)),
    attention: selfAttention(decoder, (layer) => ({
      bias,
      pattern: (scores, block) => softmax(add(softCap(scores, scoreCap), causalMask(block, windows[layer]!))),
      scale,
      ...variant(layer),
    })),
    logits: (products) => softCap(products, logitCap),
  });
}
