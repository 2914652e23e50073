import { positiveInteger, readConfigField } from '../../checkpoint/index.js';
import { readDecoder, readFlag } from '../config/decoder.js';
import type { ConfigFile, Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import { preNormModel } from '../layers/layer.js';
import { gatedMlp } from '../layers/mlp.js';

/** Llama 1 to 3.x, and Mistral: the same without biases and with a window. */
export const llama: Family = {
  name: 'llama',
  architectures: ['LlamaForCausalLM', 'MistralForCausalLM'],
  read(file, architecture) {
    const decoder = readDecoder(file, 'llama');
    const mistral = architecture === 'MistralForCausalLM';
    const flag = (field: string): boolean => !mistral && readFlag(file, field);
    const attentionBias = flag('attention_bias');
    const { shape, activation, rotation } = decoder;
    const bias = { qkv: attentionBias, out: attentionBias };
    const mlp = { width: shape.dMlp, activation, bias: flag('mlp_bias') };
    const window = mistral ? readWindow(file) : null;
    return preNormModel(
      decoder,
      (block, name, x) => selfAttention(block, name, x, { ...shape, rotation, bias, window }),
      (block, name, x) => gatedMlp(block, name, x, mlp),
    );
  },
};

/** Mistral's window in transformers where the field is absent; `null` in the file means none. */
const DEFAULT_WINDOW = 4096;

function readWindow(file: ConfigFile): number | null {
  if (!('sliding_window' in file.config)) return DEFAULT_WINDOW;
  return readConfigField(file, 'sliding_window', positiveInteger.optional()) ?? null;
}
