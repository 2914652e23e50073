import { z } from 'zod';
import { readConfigField } from '../checkpoint/index.js';
import type { Block, Float } from './block.js';
import type { ConfigFile } from './family.js';
import { layerNorm, linear } from './parts.js';

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

/** The unembedding's name if the configuration has one of its own; these families share tables by default. */
export function readHead(file: ConfigFile, name: string, tiedByDefault: boolean): string | null {
  return readConfigField(file, 'tie_word_embeddings', z.boolean().default(tiedByDefault)) ? null : name;
}
