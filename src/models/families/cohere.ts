import { type Float, mul, sizeOf } from '../../graph/index.js';
import { type Decoder, readDecoder, readWindows } from '../config/decoder.js';
import { readFlag, readNumber, readSize, withDefaults } from '../config/fields.js';
import type { Architecture, ConfigFile, Family } from '../family.js';
import { type AttentionOptions, normHeads, selfAttention } from '../layers/attention.js';
import type { Block } from '../layers/block.js';
import { scaled } from '../layers/linear.js';
import { layerNorm, standardized } from '../layers/norms.js';
import { type Layout, transformer } from '../layers/transformer.js';

const DEFAULTS = { layer_norm_eps: 1e-5, logit_scale: 0.0625, tie_word_embeddings: true };

/** Command R, Aya 23 and Aya Expanse 32B: attention and MLP side by side, layer norms without bias, scaled logits. */
export const cohere: Family = {
  name: 'cohere',
  architectures: ['CohereForCausalLM'],
  modelTypes: ['cohere'],
  read(unread) {
    const file = withDefaults(unread, DEFAULTS);
    const decoder = readCohere(file, 'cohere');
    const prepare = normHeads((block, name, x) => normByHead(block, name, x, decoder.epsilon));
    const variant = readFlag(file, 'use_qk_norm') ? { prepare } : {};
    return parallel(file, decoder, () => variant);
  },
};

/** Command R7B and its successors: three layers with rope and a window, then one with neither. */
export const cohere2: Family = {
  name: 'cohere2',
  architectures: ['Cohere2ForCausalLM'],
  modelTypes: ['cohere2'],
  read(unread) {
    const file = withDefaults(unread, { ...DEFAULTS, sliding_window: 4096, sliding_window_pattern: 4 });
    const decoder = readCohere(file, 'cohere2');
    const pattern = readSize(file, 'sliding_window_pattern');
    const windows = readWindows(file, decoder.shape.layers, (layer) => (layer + 1) % pattern !== 0);
    return parallel(file, decoder, (layer) => ({
      rotation: windows[layer] === null ? null : decoder.rotation,
      window: windows[layer]!,
    }));
  },
};

function readCohere(file: ConfigFile, family: string): Decoder {
  const decoder = readDecoder(file, family, { epsilon: 'layer_norm_eps' });
  return { ...decoder, rotation: { ...decoder.rotation, interleaved: true } };
}

/** Attention and MLP read one norm of the residual stream. */
const PARALLEL: Layout = {
  attention: ['input_layernorm', null],
  mlp: ['input_layernorm', null],
  parallel: true,
};

function parallel(
  file: ConfigFile,
  decoder: Decoder,
  variant: (layer: number) => AttentionOptions,
): Architecture {
  const bias = readFlag(file, 'attention_bias');
  const logitScale = readNumber(file, 'logit_scale');
  return transformer({
    ...decoder,
    layout: PARALLEL,
    norm: (block, name, x) => layerNorm(block, name, x, decoder.epsilon, false),
    attention: selfAttention(decoder, (layer) => ({ bias, ...variant(layer) })),
    logits: (products) => scaled(products, logitScale),
  });
}

/** Layer norm of each head by itself, with a weight [heads, size]. */
function normByHead(block: Block, name: string, x: Float, epsilon: number): Float {
  return mul(standardized(x, epsilon), block.weight(`${name}.weight`, [sizeOf(x, 2), sizeOf(x, 3)]));
}
