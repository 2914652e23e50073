import type { Fields } from './added-tokens.js';

/** What a version of transformers makes of a tokenizer's files. */
export type Outcome = RewrittenTokenizer | Refusal;

export interface RewrittenTokenizer {
  /** A tokenizer.json that the library gives the version's ids with. */
  readonly json: Fields;
  /** The class that sets it up. */
  readonly className: string;
  /** Beginning-of-sequence token; null without one. */
  readonly bos: string | null;
}

export interface Refusal {
  /** Why the version cannot open it, or why it is not known how. */
  readonly refused: string;
  /** The version opens it; how is not known here. */
  readonly unknown?: true;
}
