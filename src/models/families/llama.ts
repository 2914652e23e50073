import { readDecoder } from '../config/decoder.js';
import { readFlag, readOptionalSize } from '../config/fields.js';
import type { ConfigFile, Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import { gatedHalf } from '../layers/mlp.js';
import { transformer } from '../layers/transformer.js';

/** Llama 1 to 3.x, and Mistral: the same without biases and with a window. */
export const llama: Family = {
  name: 'llama',
  architectures: ['LlamaForCausalLM', 'MistralForCausalLM'],
  modelTypes: ['llama', 'mistral'],
  read(file, architecture) {
    const decoder = readDecoder(file, 'llama');
    const { shape, activation } = decoder;
    const mistral = architecture === 'MistralForCausalLM';
    const bias = !mistral && readFlag(file, 'attention_bias');
    const mlpBias = !mistral && readFlag(file, 'mlp_bias');
    const window = mistral ? readWindow(file) : null;
    return transformer({
      ...decoder,
      attention: selfAttention(decoder, () => ({ bias, window })),
      mlp: gatedHalf({ width: shape.dMlp, activation, bias: mlpBias }),
    });
  },
};

/** Mistral's window in transformers where the field is absent; `null` in the file means none. */
const DEFAULT_WINDOW = 4096;

function readWindow(file: ConfigFile): number | null {
  return 'sliding_window' in file.config ? readOptionalSize(file, 'sliding_window') : DEFAULT_WINDOW;
}
