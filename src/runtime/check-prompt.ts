import { CheckpointError, UsageError } from '../errors.js';
import type { TokenizedPrompt } from './types.js';

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
