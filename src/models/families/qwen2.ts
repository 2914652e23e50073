import { nonnegativeInteger, readConfigField } from '../../checkpoint/index.js';
import { readDecoder, readFlag, readWindows } from '../config/decoder.js';
import type { ConfigFile, Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import { tokenEnds } from '../layers/ends.js';
import { preNormLayer } from '../layers/layer.js';
import { gatedMlp } from '../layers/mlp.js';

/** Qwen2 and Qwen2.5: Llama with biases on queries, keys and values, and on request windows in the later layers. */
export const qwen2: Family = {
  name: 'qwen2',
  architectures: ['Qwen2ForCausalLM'],
  read(file) {
    const decoder = readDecoder(file, 'qwen2');
    const { shape, activation, epsilon, rotation } = decoder;
    const bias = { qkv: true, out: false };
    const windows = readQwenWindows(file, shape.layers);
    return {
      shape,
      ...tokenEnds(decoder),
      layer: (block, index, hidden) =>
        preNormLayer(
          block,
          `model.layers.${index}`,
          hidden,
          epsilon,
          (name, x) => selfAttention(block, name, x, { ...shape, rotation, bias, window: windows[index]! }),
          (name, x) => gatedMlp(block, name, x, { width: shape.dMlp, activation, bias: false }),
        ),
    };
  },
};

/** None unless asked for; then those of `layer_types`, or of the layers from `max_window_layers` on. */
export function readQwenWindows(file: ConfigFile, layers: number): readonly (number | null)[] {
  if (!readFlag(file, 'use_sliding_window')) return Array.from({ length: layers }, () => null);
  return readWindows(
    file,
    layers,
    (layer) => layer >= readConfigField(file, 'max_window_layers', nonnegativeInteger),
  );
}
