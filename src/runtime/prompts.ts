import { CheckpointError, UsageError } from '../errors.js';
import type { TokenizedPrompt } from './types.js';
import type { WirePrompts } from './worker/protocol.js';

/** @throws UsageError for a prompt that cannot run; CheckpointError as `checkVocabulary` does */
export function checkPrompt({ ids, counted }: TokenizedPrompt, vocab: number, name: string): void {
  if (ids.length === 0) throw new UsageError({ what: 'a prompt without tokens cannot run', where: name });
  if (counted.length !== ids.length) {
    throw new UsageError({
      what: '`counted` must have one value a token',
      where: name,
      expected: String(ids.length),
      found: String(counted.length),
    });
  }
  checkVocabulary(ids, vocab, name);
}

/**
 * @throws CheckpointError if the embedding lacks one of the tokens, as when a tokenizer has grown and the model has not
 */
export function checkVocabulary(ids: Int32Array, vocab: number, prompt: string): void {
  const position = ids.findIndex((id) => id < 0 || id >= vocab);
  if (position === -1) return;
  throw new CheckpointError({
    what: `token ${ids[position]} at position ${position} is not in the embedding`,
    where: prompt,
    expected: `token ids from 0 to ${vocab - 1}`,
    found: String(ids[position]),
    remedy:
      'the tokenizer and the weights are not of the same model: use the tokenizer.json that was saved with these weights',
  });
}

/** Prompts end to end. */
export function wirePrompts(prompts: readonly TokenizedPrompt[]): WirePrompts {
  const lengths = prompts.map(({ ids }) => ids.length);
  const starts = Int32Array.from([0, ...lengths.map(cumulative())]);
  const tokens = starts[prompts.length]!;
  const of = <T extends Int32Array | Uint8Array>(
    type: new (length: number) => T,
    part: (prompt: TokenizedPrompt) => T,
  ) => concatenate(type, prompts.map(part), tokens);
  return { ids: of(Int32Array, ({ ids }) => ids), counted: of(Uint8Array, ({ counted }) => counted), starts };
}

function concatenate<T extends Int32Array | Uint8Array>(
  type: new (length: number) => T,
  arrays: readonly T[],
  length: number,
): T {
  const whole = new type(length);
  let start = 0;
  for (const array of arrays) {
    whole.set(array, start);
    start += array.length;
  }
  return whole;
}

function cumulative(): (value: number) => number {
  let sum = 0;
  return (value) => {
    sum += value;
    return sum;
  };
}
