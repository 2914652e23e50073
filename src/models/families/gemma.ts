import { positiveNumber, readConfigField } from '../../checkpoint/index.js';
import type { Float } from '../../graph/index.js';
import { readActivation, readFlag, readRotation, readShape, withDefaults } from '../config/decoder.js';
import type { Family } from '../family.js';
import { selfAttention } from '../layers/attention.js';
import { embedTokens, unembedTokens } from '../layers/ends.js';
import { sequentialLayer } from '../layers/layer.js';
import { scaled } from '../layers/linear.js';
import { gatedMlp } from '../layers/mlp.js';
import { gemmaNorm } from '../layers/norms.js';

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
    const attention = { ...shape, rotation, bias: { qkv: attentionBias, out: attentionBias } };
    const mlp = { width: shape.dMlp, activation };
    return {
      shape,
      embed: (block, ids) => scaled(embedTokens(block, ids, shape), Math.sqrt(shape.dModel)),
      layer(block, index, hidden) {
        const name = `model.layers.${index}`;
        const norm = (part: string, x: Float): Float => gemmaNorm(block, `${name}.${part}`, x, epsilon);
        return sequentialLayer(
          block,
          hidden,
          (x) => selfAttention(block, `${name}.self_attn`, norm('input_layernorm', x), attention),
          (x) => gatedMlp(block, `${name}.mlp`, norm('post_attention_layernorm', x), mlp),
        );
      },
      unembed: (block, hidden) =>
        unembedTokens(block, gemmaNorm(block, 'model.norm', hidden, epsilon), shape, tied),
    };
  },
};
