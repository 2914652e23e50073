import type { Float, Value } from '../../graph/index.js';
import type { Decoder } from '../config/decoder.js';
import type { Architecture } from '../family.js';
import type { Block } from './block.js';
import { linear } from './linear.js';
import { layerNorm, rmsNorm } from './norms.js';

/** Embedding and unembedding of these families: a table, and a final RMS norm before the logits. */
export function tokenEnds(decoder: Decoder): Pick<Architecture, 'embed' | 'unembed'> {
  const { shape, epsilon, tied } = decoder;
  return {
    embed: (block, ids) => embedTokens(block, ids, shape),
    unembed: (block, hidden) =>
      unembedTokens(block, rmsNorm(block, 'model.norm', hidden, epsilon), shape, tied),
  };
}

/** Rows of the table of embeddings. */
export function embedTokens(
  block: Block,
  ids: Value<'int64'>,
  { vocab, dModel }: Architecture['shape'],
): Float {
  return block.weightRows(`${EMBEDDING}.weight`, [vocab, dModel], ids);
}

/** Logits of a residual stream that the final norm has passed over. */
export function unembedTokens(
  block: Block,
  normed: Float,
  { vocab }: Architecture['shape'],
  tied: boolean,
): Float {
  return linear(block, tied ? EMBEDDING : 'lm_head', normed, vocab, false);
}

const EMBEDDING = 'model.embed_tokens';

/** Names of the embedding's table and of the norm before the logits. */
export interface TokenNames {
  readonly table: string;
  readonly norm: string;
  /** Name of the unembedding where it is not the embedding's table; null where it is. */
  readonly head: string | null;
}

/** Logits: a final layer norm, and the product with the embedding's table or another one. */
export function unembedNormed(
  block: Block,
  hidden: Float,
  { table, norm, head }: TokenNames,
  vocab: number,
  epsilon: number,
): Float {
  return linear(block, head ?? table, layerNorm(block, norm, hidden, epsilon, true), vocab, false);
}
