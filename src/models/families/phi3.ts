import { positiveInteger, readConfigField } from '../../checkpoint/index.js';
import { type Float, slice } from '../../graph/index.js';
import { readDecoder, withDefaults } from '../config/decoder.js';
import type { Family } from '../family.js';
import { type HeadSizes, type Projected, selfAttention, splitHeads } from '../layers/attention.js';
import type { Block } from '../layers/block.js';
import { preNormModel } from '../layers/layer.js';
import { linear } from '../layers/linear.js';
import { gated } from '../layers/mlp.js';

/** Phi-3 and Phi-4: Llama with one matrix for queries, keys and values, and one for gate and up. */
export const phi3: Family = {
  name: 'phi3',
  architectures: ['Phi3ForCausalLM'],
  read(unread) {
    const file = withDefaults(unread, { original_max_position_embeddings: 4096 });
    const decoder = readDecoder(file, 'phi3');
    const { shape, activation, rotation } = decoder;
    const window = readConfigField(file, 'sliding_window', positiveInteger.optional()) ?? null;
    return preNormModel(
      decoder,
      (block, name, x) =>
        selfAttention(block, name, x, {
          ...shape,
          rotation,
          window,
          project: () => fusedHeads(block, name, x, shape),
        }),
      (block, name, x) => {
        const fused = linear(block, `${name}.gate_up_proj`, x, 2 * shape.dMlp, false);
        const gate = slice(fused, -1, 0, shape.dMlp);
        const up = slice(fused, -1, shape.dMlp, 2 * shape.dMlp);
        const post = gated((point, value) => block.hook(point, value), gate, up, activation);
        return linear(block, `${name}.down_proj`, post, shape.dModel, false);
      },
    );
  },
};

/** Queries, keys and values, in this order, from `qkv_proj`. */
function fusedHeads(block: Block, name: string, x: Float, { heads, kvHeads, headDim }: HeadSizes): Projected {
  const fused = splitHeads(
    linear(block, `${name}.qkv_proj`, x, (heads + 2 * kvHeads) * headDim, false),
    heads + 2 * kvHeads,
  );
  return {
    q: slice(fused, 2, 0, heads),
    k: slice(fused, 2, heads, heads + kvHeads),
    v: slice(fused, 2, heads + kvHeads, heads + 2 * kvHeads),
  };
}
