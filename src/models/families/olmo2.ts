import type { Float } from '../../graph/index.js';
import {
  type Decoder,
  readDecoder,
  readFlag,
  readRotation,
  readWindows,
  withDefaults,
} from '../config/decoder.js';
import type { Architecture, ConfigFile, Family } from '../family.js';
import { normHeads, selfAttention } from '../layers/attention.js';
import type { Block } from '../layers/block.js';
import { tokenEnds } from '../layers/ends.js';
import { sequentialLayer } from '../layers/layer.js';
import { gatedMlp } from '../layers/mlp.js';
import { fullNorm, rmsNorm } from '../layers/norms.js';
import type { Rotation } from '../layers/rope.js';

/** OLMo 2: norms after attention and MLP instead of before, and over all queries and all keys at once. */
export const olmo2: Family = {
  name: 'olmo2',
  architectures: ['Olmo2ForCausalLM'],
  read(file) {
    const decoder = readDecoder(file, 'olmo2');
    return postNorm(file, decoder, () => ({ rotation: decoder.rotation, window: null }));
  },
};

/** OLMo 3: OLMo 2 with windows in three of four layers, whose rope is not scaled. */
export const olmo3: Family = {
  name: 'olmo3',
  architectures: ['Olmo3ForCausalLM'],
  read(unread) {
    const file = withDefaults(unread, { sliding_window: 4096 });
    const decoder = readDecoder(file, 'olmo3');
    const windows = readWindows(file, decoder.shape.layers, (layer) => (layer + 1) % 4 !== 0);
    const unscaled = readRotation(withoutScaling(file), decoder.shape);
    return postNorm(file, decoder, (layer) => ({
      rotation: windows[layer] === null ? decoder.rotation : unscaled,
      window: windows[layer]!,
    }));
  },
};

/** The file with its rope's base and none of its scaling. */
function withoutScaling(file: ConfigFile): ConfigFile {
  const { rope_parameters: parameters, rope_theta: theta } = file.config;
  const modern = parameters as { readonly rope_theta?: unknown } | null | undefined;
  const rope = { rope_theta: modern?.rope_theta ?? theta, rope_scaling: null, rope_parameters: null };
  return { ...file, config: { ...file.config, ...rope } };
}

interface Positions {
  readonly rotation: Rotation;
  readonly window: number | null;
}

function postNorm(
  file: ConfigFile,
  decoder: Decoder,
  positionsOf: (layer: number) => Positions,
): Architecture {
  const { shape, activation, epsilon } = decoder;
  const bias = readFlag(file, 'attention_bias');
  const attention = (block: Block, name: string, x: Float, positions: Positions): Float =>
    selfAttention(block, name, x, {
      ...shape,
      ...positions,
      bias: { qkv: bias, out: bias },
      prepare: (heads) => normHeads(name, heads, (norm, y) => fullNorm(block, norm, y, epsilon)),
    });
  return {
    shape,
    ...tokenEnds(decoder),
    layer(block, index, pre) {
      const name = `model.layers.${index}`;
      const norm = (part: string, x: Float): Float => rmsNorm(block, `${name}.${part}`, x, epsilon);
      const mlp = { width: shape.dMlp, activation, bias: false };
      return sequentialLayer(
        block,
        pre,
        (x) => norm('post_attention_layernorm', attention(block, `${name}.self_attn`, x, positionsOf(index))),
        (x) => norm('post_feedforward_layernorm', gatedMlp(block, `${name}.mlp`, x, mlp)),
      );
    },
  };
}
