import { nonnegativeInteger, readConfigField } from '../../checkpoint/index.js';
import { readDecoder, readWindows } from '../config/decoder.js';
import { readFlag } from '../config/fields.js';
import type { ConfigFile, Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import { transformer } from '../layers/transformer.js';

/** Qwen2 and Qwen2.5: Llama with biases on queries, keys and values, and on request windows in the later layers. */
export const qwen2: Family = {
  name: 'qwen2',
  architectures: ['Qwen2ForCausalLM'],
  modelTypes: ['qwen2'],
  read(file) {
    const decoder = readDecoder(file, 'qwen2');
    const bias = { qkv: true, out: false };
    const windows = readQwenWindows(file, decoder.shape.layers);
    return transformer({
      ...decoder,
      attention: selfAttention(decoder, (layer) => ({ bias, window: windows[layer]! })),
    });
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
