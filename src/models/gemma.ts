import { positiveNumber, readConfigField } from '../checkpoint/index.js';
import { add, rmsNormalization, sizeOf } from '../graph/index.js';
import { selfAttention } from './attention.js';
import type { Block, Float } from './block.js';
import {
  embedTokens,
  readActivation,
  readFlag,
  readRotation,
  readShape,
  unembedTokens,
  withDefaults,
} from './decoder.js';
import type { Family } from './family.js';
import { gatedMlp, scaled } from './parts.js';
import { sequentialLayer } from './sequential-layer.js';

/** Gemma 1: embeddings scaled by √dModel, RMS norms whose weights are stored less one, large heads. */
export const gemma: Family = {
  name: 'gemma',
  architectures: ['GemmaForCausalLM'],
  read(unread) {
    const file = withDefaults(unread, {
      head_dim: 256,
      hidden_act: 'gelu_pytorch_tanh',
      tie_word_embeddings: true,
    });
    const shape = readShape(file, 'gemma');
    const rotation = readRotation(file, shape);
    const activation = readActivation(file);
    const epsilon = readConfigField(file, 'rms_norm_eps', positiveNumber);
    const tied = readFlag(file, 'tie_word_embeddings');
    const attentionBias = readFlag(file, 'attention_bias');
    const bias = { qkv: attentionBias, out: attentionBias };
    return {
      shape,
      embed: (block, ids) => scaled(embedTokens(block, ids, shape), Math.sqrt(shape.dModel)),
      layer(block, index, hidden) {
        const name = `model.layers.${index}`;
        const norm = (part: string, x: Float): Float => gemmaNorm(block, `${name}.${part}`, x, epsilon);
        return sequentialLayer(
          block,
          hidden,
          (x) =>
            selfAttention(block, `${name}.self_attn`, norm('input_layernorm', x), {
              ...shape,
              rotation,
              bias,
              window: null,
            }),
          (x) =>
            gatedMlp(block, `${name}.mlp`, norm('post_attention_layernorm', x), {
              dMlp: shape.dMlp,
              activation,
              bias: false,
            }),
        );
      },
      unembed: (block, hidden) =>
        unembedTokens(block, gemmaNorm(block, 'model.norm', hidden, epsilon), shape, tied),
    };
  },
};

/** RMS norm over the last axis with weight 1 + `{name}.weight`. */
export function gemmaNorm(block: Block, name: string, x: Float, epsilon: number): Float {
  const weight = block.weight(`${name}.weight`, [sizeOf(x, -1)]);
  return rmsNormalization(x, add(weight, x.graph.float(1)), epsilon);
}
