import { type Float, slice } from '../../graph/index.js';
import { readDecoder } from '../config/decoder.js';
import { readOptionalSize, withDefaults } from '../config/fields.js';
import type { Family } from '../family.js';
import { type HeadSizes, type Projected, selfAttention, splitHeads } from '../layers/attention.js';
import type { Block } from '../layers/block.js';
import { linear } from '../layers/linear.js';
import { gated } from '../layers/mlp.js';
import { transformer } from '../layers/transformer.js';

/** Phi-3 and Phi-4: Llama with one matrix for queries, keys and values, and one for gate and up. */
export const phi3: Family = {
  name: 'phi3',
  architectures: ['Phi3ForCausalLM'],
  modelTypes: ['phi3'],
  read(unread) {
    const file = withDefaults(unread, { original_max_position_embeddings: 4096 });
    const decoder = readDecoder(file, 'phi3');
    const { shape, activation } = decoder;
    const window = readOptionalSize(file, 'sliding_window');
    return transformer({
      ...decoder,
      attention: selfAttention(decoder, () => ({
        window,
        project: (block, name, x) => fusedHeads(block, name, x, shape),
      })),
      mlp(block, layer, x) {
        const name = `${layer}.mlp`;
        const fused = linear(block, `${name}.gate_up_proj`, x, 2 * shape.dMlp, false);
        const gate = slice(fused, -1, 0, shape.dMlp);
        const up = slice(fused, -1, shape.dMlp, 2 * shape.dMlp);
        const post = gated((point, value) => block.hook(point, value), gate, up, activation);
        return linear(block, `${name}.down_proj`, post, shape.dModel, false);
      },
    });
  },
};

/** Queries, keys and values, in this order, from `qkv_proj`. */
function fusedHeads(block: Block, name: string, x: Float, { heads, kvHeads, headDim }: HeadSizes): Projected {
  const all = heads + 2 * kvHeads;
  const fused = splitHeads(linear(block, `${name}.qkv_proj`, x, all * headDim, false), all);
  return {
    q: slice(fused, 2, 0, heads),
    k: slice(fused, 2, heads, heads + kvHeads),
    v: slice(fused, 2, heads + kvHeads, all),
  };
}
