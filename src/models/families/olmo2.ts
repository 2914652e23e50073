import { type Decoder, readDecoder, readRotation, readWindows } from '../config/decoder.js';
import { readFlag, withDefaults } from '../config/fields.js';
import type { Architecture, ConfigFile, Family } from '../family.js';
import { type AttentionOptions, normHeads, selfAttention } from '../layers/attention.js';
import { fullNorm } from '../layers/norms.js';
import { type Layout, transformer } from '../layers/transformer.js';

/** OLMo 2: norms after attention and MLP instead of before, and over all queries and all keys at once. */
export const olmo2: Family = {
  name: 'olmo2',
  architectures: ['Olmo2ForCausalLM'],
  modelTypes: ['olmo2'],
  read(file) {
    const decoder = readDecoder(file, 'olmo2');
    return postNorm(file, decoder, () => ({}));
  },
};

/** OLMo 3: OLMo 2 with windows in three of four layers, whose rope is not scaled. */
export const olmo3: Family = {
  name: 'olmo3',
  architectures: ['Olmo3ForCausalLM'],
  modelTypes: ['olmo3'],
  read(unread) {
    const file = withDefaults(unread, { sliding_window: 4096 });
    const decoder = readDecoder(file, 'olmo3', { rope: { layerType: 'full_attention' } });
    const windows = readWindows(file, decoder.shape.layers, (layer) => (layer + 1) % 4 !== 0);
    const unscaled = readRotation(withoutScaling(file), decoder.shape, { layerType: 'sliding_attention' });
    return postNorm(file, decoder, (layer) => ({
      rotation: windows[layer] === null ? decoder.rotation : unscaled,
      window: windows[layer]!,
    }));
  },
};

/** The file with its rope's base and none of its scaling; one with a rope for each type of layer as it is. */
function withoutScaling(file: ConfigFile): ConfigFile {
  const { rope_parameters: parameters, rope_theta: theta } = file.config;
  const modern = parameters as Readonly<Record<string, unknown>> | null | undefined;
  if (Object.values(modern ?? {}).some((entry) => typeof entry === 'object' && entry !== null)) return file;
  const rope = { rope_theta: modern?.rope_theta ?? theta, rope_scaling: null, rope_parameters: null };
  return { ...file, config: { ...file.config, ...rope } };
}

const POST_NORM: Layout = {
  attention: [null, 'post_attention_layernorm'],
  mlp: [null, 'post_feedforward_layernorm'],
  parallel: false,
};

function postNorm(
  file: ConfigFile,
  decoder: Decoder,
  variant: (layer: number) => AttentionOptions,
): Architecture {
  const bias = readFlag(file, 'attention_bias');
  const prepare = normHeads((block, name, x) => fullNorm(block, name, x, decoder.epsilon));
  return transformer({
    ...decoder,
    layout: POST_NORM,
    attention: selfAttention(decoder, (layer) => ({ bias, prepare, ...variant(layer) })),
  });
}
