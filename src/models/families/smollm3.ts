import { z } from 'zod';
import { positiveInteger, readConfigField } from '../../checkpoint/index.js';
import { readDecoder, readFlag, readWindows, withDefaults } from '../config/decoder.js';
import type { ConfigFile, Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import { preNormModel } from '../layers/layer.js';
import { gatedMlp } from '../layers/mlp.js';

/** SmolLM3: Llama with layers that know no positions but through the others. */
export const smollm3: Family = {
  name: 'smollm3',
  architectures: ['SmolLM3ForCausalLM'],
  read(unread) {
    const file = withDefaults(unread, { tie_word_embeddings: true, rope_theta: 2e6 });
    const decoder = readDecoder(file, 'smollm3');
    const { shape, activation, rotation } = decoder;
    const attentionBias = readFlag(file, 'attention_bias');
    const bias = { qkv: attentionBias, out: attentionBias };
    const mlp = { width: shape.dMlp, activation, bias: readFlag(file, 'mlp_bias') };
    const rotated = readRotatedLayers(file, shape.layers);
    const windows = readFlag(file, 'use_sliding_window')
      ? readWindows(file, shape.layers, (layer) => !rotated[layer])
      : rotated.map(() => null);
    return preNormModel(
      decoder,
      (block, name, x, layer) =>
        selfAttention(block, name, x, {
          ...shape,
          rotation: rotated[layer] ? rotation : null,
          bias,
          window: windows[layer]!,
        }),
      (block, name, x) => gatedMlp(block, name, x, mlp),
    );
  },
};

/** Despite its name, `no_rope_layers` has 1 for a layer with rope; without it, each fourth layer has none. */
function readRotatedLayers(file: ConfigFile, layers: number): readonly boolean[] {
  const flags = readConfigField(file, 'no_rope_layers', z.array(z.int()).min(layers).optional());
  const interval = readConfigField(file, 'no_rope_layer_interval', positiveInteger.default(4));
  return Array.from({ length: layers }, (_, layer) =>
    flags === undefined ? (layer + 1) % interval !== 0 : flags[layer] !== 0,
  );
}
