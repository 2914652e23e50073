import { nonnegativeInteger, readConfigField } from '../../checkpoint/index.js';
import { readDecoder, readFlag, readWindows } from '../config/decoder.js';
import type { ConfigFile, Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import { preNormModel } from '../layers/layer.js';
import { gatedMlp } from '../layers/mlp.js';

/** Qwen2 and Qwen2.5: Llama with biases on queries, keys and values, and on request windows in the later layers. */
export const qwen2: Family = {
  name: 'qwen2',
  architectures: ['Qwen2ForCausalLM'],
  read(file) {
    const decoder = readDecoder(file, 'qwen2');
    const { shape, activation, rotation } = decoder;
    const bias = { qkv: true, out: false };
    const windows = readQwenWindows(file, shape.layers);
    return preNormModel(
      decoder,
      (block, name, x, layer) =>
        selfAttention(block, name, x, { ...shape, rotation, bias, window: windows[layer]! }),
      (block, name, x) => gatedMlp(block, name, x, { width: shape.dMlp, activation }),
    );
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
