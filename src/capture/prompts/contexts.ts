import type { TokenizedPrompt } from '../../runtime/index.js';

export interface Contexts {
  /** N² / Σ n², over distinct contexts that n of the N counted tokens have (the inverse of Simpson's index, 1949). */
  readonly effective: number;
  /** Counted tokens whose context occurs in another prompt too. */
  readonly shared: number;
}

/**
 * How many distinct contexts counted tokens have. A context is a token with all tokens before it: in a causal model these decide
 * what every unit does there. Prompts are sorted, so that those with a common beginning lie side by side, and walked once.
 */
export function distinctContexts(prompts: readonly TokenizedPrompt[]): Contexts {
  const sorted = [...prompts].sort((a, b) => compareIds(a.ids, b.ids));
  let tokens = 0;
  let squares = 0;
  let shared = 0;
  /** Counted tokens at each position of the walked prompt, over all prompts so far that begin with it up to there. */
  const counted: number[] = [];
  /** And how many of these prompts there are. */
  const holders: number[] = [];
  const close = (length: number) => {
    while (counted.length > length) {
      const count = counted.pop()!;
      squares += count * count;
      if (holders.pop()! > 1) shared += count;
    }
  };
  let previous: Ids = new Int32Array();
  for (const { ids, counted: own } of sorted) {
    const common = commonLength(previous, ids);
    close(common);
    for (let t = 0; t < ids.length; t++) {
      counted[t] = (counted[t] ?? 0) + own[t]!;
      holders[t] = (holders[t] ?? 0) + 1;
      tokens += own[t]!;
    }
    previous = ids;
  }
  close(0);
  return { effective: squares === 0 ? 0 : (tokens * tokens) / squares, shared };
}

type Ids = TokenizedPrompt['ids'];

function commonLength(a: Ids, b: Ids): number {
  const most = Math.min(a.length, b.length);
  let length = 0;
  while (length < most && a[length] === b[length]) length++;
  return length;
}

function compareIds(a: Ids, b: Ids): number {
  const common = commonLength(a, b);
  return (a[common] ?? -1) - (b[common] ?? -1);
}
