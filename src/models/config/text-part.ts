import { z } from 'zod';
import { checkSizes, readConfigField } from '../../checkpoint/index.js';
import type { ConfigFile } from '../family.js';

/**
 * The configuration of the language model in that of a model with other towers. Whether its unembedding is tied stands inside
 * (transformers 4) or beside it (5); one that stands beside and is stored is not tied.
 *
 * @throws CheckpointError without `text_config`, or for sizes that no model has
 */
export function readTextPart(file: ConfigFile): ConfigFile {
  const text = readConfigField(file, 'text_config', z.record(z.string(), z.unknown()));
  const ofText = {
    ...file,
    config: file.config.tie_word_embeddings === false ? { ...text, tie_word_embeddings: false } : text,
  };
  checkSizes(ofText);
  return ofText;
}

/** Models of images whose language model is, for a text alone, one of a family here; the `model_type` of each. */
const WRAPPERS: Readonly<Record<string, string>> = {
  Mistral3ForConditionalGeneration: 'mistral3',
  LlavaForConditionalGeneration: 'llava',
  Qwen2VLForConditionalGeneration: 'qwen2_vl',
  Qwen2_5_VLForConditionalGeneration: 'qwen2_5_vl',
  Qwen3VLForConditionalGeneration: 'qwen3_vl',
};

/** The causal language models that their language models are, by `model_type`. */
const TEXT_MODELS: Readonly<Record<string, string>> = {
  llama: 'LlamaForCausalLM',
  mistral: 'MistralForCausalLM',
  qwen2: 'Qwen2ForCausalLM',
  qwen3: 'Qwen3ForCausalLM',
  qwen2_vl_text: 'Qwen2ForCausalLM',
  qwen2_5_vl_text: 'Qwen2ForCausalLM',
  qwen3_vl_text: 'Qwen3ForCausalLM',
};

/** What transformers takes for fields that a `text_config` leaves out, as LLaVA's do. */
const LLAMA = {
  hidden_size: 4096,
  intermediate_size: 11_008,
  num_hidden_layers: 32,
  num_attention_heads: 32,
  hidden_act: 'silu',
  rms_norm_eps: 1e-6,
  vocab_size: 32_000,
  max_position_embeddings: 2048,
};
const DEFAULTS: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  llama: LLAMA,
  mistral: {
    ...LLAMA,
    intermediate_size: 14_336,
    num_key_value_heads: 8,
    max_position_embeddings: 131_072,
  },
};

/** The language model of a model of images. */
export interface InnerText {
  readonly file: ConfigFile;
  /** The class that it would be by itself. */
  readonly architecture: string;
  /** The class and the type of the whole. */
  readonly whole: { readonly architecture: string; readonly modelType: string };
}

/**
 * The language model of a configuration of a model of images that is read as a text model; null for others. Its towers and what
 * joins them are left where they are: a text alone does not pass them, and its three positions are one.
 */
export function innerText(file: ConfigFile): InnerText | null {
  const named = Array.isArray(file.config.architectures) ? file.config.architectures[0] : undefined;
  const whole = Object.entries(WRAPPERS).find(
    ([architecture, modelType]) => modelType === file.config.model_type || architecture === named,
  );
  if (whole === undefined) return null;
  const [architecture, modelType] = whole;
  // The first Qwen2-VL files have the fields of the language model beside those of the tower.
  const { vision_config: _, ...beside } = file.config;
  const isFlat = (file.config.text_config ?? null) === null;
  const text = isFlat
    ? { ...file, config: { ...beside, model_type: `${modelType}_text` } }
    : readTextPart(file);
  const type = String(text.config.model_type ?? 'llama');
  const inner = TEXT_MODELS[type];
  if (inner === undefined) return null;
  const config = { ...DEFAULTS[type], ...text.config, architectures: [inner] };
  return { file: { ...text, config }, architecture: inner, whole: { architecture, modelType } };
}
