import { add, type Float } from '../../graph/index.js';
import type { Architecture, WeightNames } from '../family.js';
import type { Block } from './block.js';
import { linear } from './linear.js';

/** Half of a layer: gives what it adds to the residual stream. `name` is the layer's, and begins those of its weights. */
export type Half = (block: Block, name: string, x: Float, layer: number) => Float;

/** A norm over the last axis with the weights `name`. */
export type Norm = (block: Block, name: string, x: Float) => Float;

/** Names of the norms before and after a half of a layer; null where there is none. */
type Norms = readonly [before: string | null, after: string | null];

/** How the halves of a layer are joined. */
export interface Layout {
  readonly attention: Norms;
  readonly mlp: Norms;
  /** Both read the same residual stream, so that there is nothing between them, and no `hook_resid_mid`. */
  readonly parallel: boolean;
}

/** Llama's layout: each half reads a norm of the residual stream. */
export const PRE_NORM: Layout = {
  attention: ['input_layernorm', null],
  mlp: ['post_attention_layernorm', null],
  parallel: false,
};

const LLAMA_NAMES: WeightNames = {
  table: 'model.embed_tokens',
  layers: 'model.layers',
  norm: 'model.norm',
  head: 'lm_head',
};

export interface Transformer {
  readonly shape: Architecture['shape'];
  readonly mostPositions?: number;
  readonly warnings?: readonly string[];
  /** The unembedding is the embedding. */
  readonly tied: boolean;
  readonly norm: Norm;
  readonly attention: Half;
  readonly mlp: Half;
  /** Default: Llama's. */
  readonly layout?: Layout;
  /** Default: Llama's. */
  readonly names?: WeightNames;
  /** Makes the residual stream of the tokens' rows of the table; default: it is these. */
  readonly embed?: (block: Block, rows: () => Float) => Float;
  /** Makes logits of the products with the unembedding; default: they are these. */
  readonly logits?: (products: Float) => Float;
}

/** A stack of layers with an attention and an MLP each, between an embedding and a norm with an unembedding. */
export function transformer(parts: Transformer): Architecture {
  const { shape, tied, norm, layout = PRE_NORM, names = LLAMA_NAMES } = parts;
  const { embed = (_, rows) => rows(), logits = (products) => products } = parts;
  const { vocab, dModel } = shape;
  return {
    shape,
    names,
    tied,
    ...(parts.mostPositions === undefined ? {} : { mostPositions: parts.mostPositions }),
    ...(parts.warnings === undefined ? {} : { warnings: parts.warnings }),
    embed: (block, ids) =>
      embed(block, () => block.weightRows(`${names.table}.weight`, [vocab, dModel], ids)),
    layer(block, index, hidden) {
      const name = `${names.layers}.${index}`;
      const normed = (part: string | null, x: Float): Float =>
        part === null ? x : norm(block, `${name}.${part}`, x);
      const half = (part: 'attention' | 'mlp', x: Float): Float => {
        const [before, after] = layout[part];
        return normed(after, parts[part](block, name, normed(before, x), index));
      };
      const pre = block.hook('hook_resid_pre', hidden);
      if (layout.parallel) {
        return block.hook('hook_resid_post', add(pre, add(half('attention', pre), half('mlp', pre))));
      }
      const mid = block.hook('hook_resid_mid', add(pre, half('attention', pre)));
      return block.hook('hook_resid_post', add(mid, half('mlp', mid)));
    },
    unembed: (block, hidden) =>
      logits(linear(block, tied ? names.table : names.head, norm(block, names.norm, hidden), vocab, false)),
  };
}
