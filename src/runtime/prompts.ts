import { CheckpointError, UsageError } from '../errors.js';
import type { Activation, TokenizedPrompt } from './types.js';
import type { FromWorker, WirePrompts } from './worker/protocol.js';

/**
 * @param mostPositions tokens for which the model has positions; null: any number
 * @throws UsageError for a prompt that cannot run; CheckpointError as `checkVocabulary` does
 */
export function checkPrompt(
  { ids, counted, weights }: TokenizedPrompt,
  vocab: number,
  mostPositions: number | null,
  name: string,
): void {
  if (mostPositions !== null && ids.length > mostPositions) {
    throw new UsageError({
      what: 'the prompt is longer than the model has positions',
      where: name,
      expected: `at most ${mostPositions} tokens: each position has a vector of its own in the weights`,
      found: `${ids.length} tokens`,
      remedy: 'give a shorter text',
    });
  }
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
  if (weights === undefined) return;
  const usable = weights.length === ids.length && weights.every(Number.isFinite) && !weights.at(-1);
  if (usable) return;
  throw new UsageError({
    what: '`weights` must have one finite value a token, and 0 for the last, which nothing follows',
    where: name,
    found: `${weights.length} values, the last ${weights.at(-1)}`,
  });
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
  const of = <T extends Int32Array | Uint8Array | Float32Array>(
    type: new (length: number) => T,
    part: (prompt: TokenizedPrompt) => T,
  ) => concatenate(type, prompts.map(part), tokens);
  const wired = {
    ids: of(Int32Array, ({ ids }) => ids),
    counted: of(Uint8Array, ({ counted }) => counted),
    starts,
  };
  if (!prompts.some(({ weights }) => weights !== undefined)) return wired;
  const none = ({ ids }: TokenizedPrompt): Float32Array => new Float32Array(ids.length);
  return { ...wired, weights: of(Float32Array, (prompt) => prompt.weights ?? none(prompt)) };
}

/** The mean over all tokens but the first: cross-entropy of the prompt, in nats a token. */
export function meanWeights(length: number): Float32Array {
  return new Float32Array(length).fill(1 / (length - 1), 0, length - 1);
}

function concatenate<T extends Int32Array | Uint8Array | Float32Array>(
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

/** Puts a layer's readings and tensors where their prompts stand, by hook name with its layer. */
export function keepByPrompt(
  hooks: readonly Map<string, Activation>[],
  { layer, readings, tensors }: Extract<FromWorker, { type: 'layer' }>,
): void {
  for (const [output, perPrompt] of tensors) {
    const name = `blocks.${layer}.${output.replace(/\/(full|gradient)$/, '')}`;
    for (const [i, activation] of perPrompt.entries()) hooks[i]!.set(name, activation);
  }
  for (const [output, rows] of readings) {
    const width = rows.length / hooks.length;
    for (const [i, map] of hooks.entries()) {
      const values = rows.slice(i * width, (i + 1) * width);
      map.set(`blocks.${layer}.${output}`, { dims: [width], values });
    }
  }
}
