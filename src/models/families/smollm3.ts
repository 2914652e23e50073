import { z } from 'zod';
import { readConfigField } from '../../checkpoint/index.js';
import { readDecoder, readWindows } from '../config/decoder.js';
import { readFlag, readSize, withDefaults } from '../config/fields.js';
import type { ConfigFile, Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import { gatedHalf } from '../layers/mlp.js';
import { transformer } from '../layers/transformer.js';

/** SmolLM3: Llama with layers that know no positions but through the others. */
export const smollm3: Family = {
  name: 'smollm3',
  architectures: ['SmolLM3ForCausalLM'],
  modelTypes: ['smollm3'],
  read(unread) {
    const file = withDefaults(unread, { tie_word_embeddings: true });
    const decoder = readDecoder(file, 'smollm3', { rope: { theta: 2e6 } });
    const { shape, activation } = decoder;
    const bias = readFlag(file, 'attention_bias');
    const rotated = readRotatedLayers(file, shape.layers);
    const windows = readFlag(file, 'use_sliding_window')
      ? readWindows(file, shape.layers, (layer) => !rotated[layer])
      : rotated.map(() => null);
    return transformer({
      ...decoder,
      attention: selfAttention(decoder, (layer) => ({
        rotation: rotated[layer] ? decoder.rotation : null,
        bias,
        window: windows[layer]!,
      })),
      mlp: gatedHalf({ width: shape.dMlp, activation, bias: readFlag(file, 'mlp_bias') }),
    });
  },
};

/** Despite its name, `no_rope_layers` has 1 for a layer with rope; without it, each fourth layer has none. */
function readRotatedLayers(file: ConfigFile, layers: number): readonly boolean[] {
  const flags = readConfigField(file, 'no_rope_layers', z.array(z.int()).min(layers).optional());
  const interval = readSize(file, 'no_rope_layer_interval', 4);
  return Array.from({ length: layers }, (_, layer) =>
    flags === undefined ? (layer + 1) % interval !== 0 : flags[layer] !== 0,
  );
}
