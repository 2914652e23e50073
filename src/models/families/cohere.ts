import { positiveInteger, positiveNumber, readConfigField } from '../../checkpoint/index.js';
import { type Float, mul, sizeOf } from '../../graph/index.js';
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
import { parallelLayer } from '../layers/layer.js';
import { scaled } from '../layers/linear.js';
import { gatedMlp } from '../layers/mlp.js';
import { layerNorm, standardized } from '../layers/norms.js';
import type { Rotation } from '../layers/rope.js';

const DEFAULTS = { layer_norm_eps: 1e-5, logit_scale: 0.0625, tie_word_embeddings: true };

/** Command R, Aya 23 and Aya Expanse 32B: attention and MLP side by side, layer norms without bias, scaled logits. */
export const cohere: Family = {
  name: 'cohere',
  architectures: ['CohereForCausalLM'],
  read(unread) {
    const file = withDefaults(unread, DEFAULTS);
    const shape = readShape(file, 'cohere');
    const rotation = { ...readRotation(file, shape), interleaved: true };
    const epsilon = readConfigField(file, 'layer_norm_eps', positiveNumber);
    const normed = readFlag(file, 'use_qk_norm');
    return parallel(file, shape, {
      windows: Array.from({ length: shape.layers }, () => null),
      rotation: () => rotation,
      prepare: (block, name, heads) =>
        normed ? normHeads(name, heads, (norm, x) => normByHead(block, norm, x, epsilon)) : heads,
    });
  },
};

/** Command R7B and its successors: three layers with rope and a window, then one with neither. */
export const cohere2: Family = {
  name: 'cohere2',
  architectures: ['Cohere2ForCausalLM'],
  read(unread) {
    const file = withDefaults(unread, { ...DEFAULTS, sliding_window: 4096, sliding_window_pattern: 4 });
    const shape = readShape(file, 'cohere2');
    const rotation = { ...readRotation(file, shape), interleaved: true };
    const pattern = readConfigField(file, 'sliding_window_pattern', positiveInteger);
    const windows = readWindows(file, shape.layers, (layer) => (layer + 1) % pattern !== 0);
    return parallel(file, shape, {
      windows,
      rotation: (layer) => (windows[layer] === null ? null : rotation),
      prepare: (_block, _name, heads) => heads,
    });
  },
};

interface Variant {
  readonly windows: readonly (number | null)[];
  readonly rotation: (layer: number) => Rotation | null;
  /** Prepares queries and keys before they are rotated. */
  readonly prepare: (block: Block, name: string, heads: Projected) => Projected;
}

function parallel(
  file: ConfigFile,
  shape: Architecture['shape'],
  { windows, rotation, prepare }: Variant,
): Architecture {
  const epsilon = readConfigField(file, 'layer_norm_eps', positiveNumber);
  const tied = readFlag(file, 'tie_word_embeddings');
  const bias = readFlag(file, 'attention_bias');
  const logitScale = readConfigField(file, 'logit_scale', positiveNumber);
  const mlp = { width: shape.dMlp, activation: readActivation(file), bias: false };
  return {
    shape,
    embed: (block, ids) => embedTokens(block, ids, shape),
    layer(block, index, hidden) {
      const name = `model.layers.${index}`;
      const norm = (x: Float): Float => layerNorm(block, `${name}.input_layernorm`, x, epsilon, false);
      const attention = (x: Float): Float =>
        selfAttention(block, `${name}.self_attn`, x, {
          ...shape,
          rotation: rotation(index),
          bias: { qkv: bias, out: bias },
          window: windows[index]!,
          prepare: (heads) => prepare(block, `${name}.self_attn`, heads),
        });
      return parallelLayer(
        block,
        hidden,
        (x) => attention(norm(x)),
        (x) => gatedMlp(block, `${name}.mlp`, norm(x), mlp),
      );
    },
    unembed: (block, hidden) => {
      const normed = layerNorm(block, 'model.norm', hidden, epsilon, false);
      return scaled(unembedTokens(block, normed, shape, tied), logitScale);
    },
  };
}

/** Layer norm of each head by itself, with a weight [heads, size]. */
function normByHead(block: Block, name: string, x: Float, epsilon: number): Float {
  return mul(standardized(x, epsilon), block.weight(`${name}.weight`, [sizeOf(x, 2), sizeOf(x, 3)]));
}
