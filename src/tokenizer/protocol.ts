/** What is asked for, and the limits of it. */
export interface Request {
  readonly id: number;
  readonly limits: { readonly milliseconds: number; readonly bytes: number };
  readonly task:
    | { readonly kind: 'load'; readonly json: string }
    | { readonly kind: 'encode'; readonly texts: readonly string[]; readonly addSpecialTokens: boolean }
    | { readonly kind: 'decode'; readonly ids: readonly (readonly number[])[] };
}

export interface Answers {
  readonly load: LoadedTokenizer;
  readonly encode: readonly Uint32Array[];
  readonly decode: readonly string[];
}

export interface LoadedTokenizer {
  /** JSON of the id of each token. */
  readonly vocabulary: string;
  /** Largest id and one. */
  readonly vocabSize: number;
}

export type Answer = { readonly id: number } & (
  | { readonly value: Answers[keyof Answers] }
  | { readonly error: string }
);

/** Ends the process: by the signal its parent knows why. */
export const SIGNALS = { time: 'SIGTERM', memory: 'SIGKILL' } as const;
