import type { Batching, Model } from '../../models/index.js';
import type { Device } from '../types.js';

/**
 * Tokens a batch may hold, padding included. What a layer computes of 512 tokens stays in a processor's caches, and its matrix
 * products still run at full speed: against 2,048 it took 15–25 % less processor time a token at the sizes of the demo, of
 * Qwen2.5-0.5B and of Qwen2.5-7B (bench/capture.ts), and less of it is padding.
 */
export const BATCH_TOKENS = 512;

/** Where more tokens pay: on an accelerator, and where weights are converted anew for each batch. */
const LARGE_BATCH_TOKENS = 2048;

export function batchTokens({ shape }: Model, device: Device = 'cpu'): number {
  return device === 'cpu' && shape.mixture === null ? BATCH_TOKENS : LARGE_BATCH_TOKENS;
}

/**
 * Deals prompts into batches: shortest first, equal lengths in the given order, so that little is padded and the same
 * prompts always share the same batches. A batch holds at most `batchTokens` tokens once padded to its longest
 * prompt; a prompt longer than that has a batch to itself. `batching` may forbid padding, or company.
 *
 * @returns indices into `lengths`, one list a batch
 */
export function planBatches(
  lengths: readonly number[],
  { batching = 'any-length', batchTokens = BATCH_TOKENS }: { batching?: Batching; batchTokens?: number } = {},
): number[][] {
  const order = lengths.map((_, index) => index).sort((a, b) => lengths[a]! - lengths[b]! || a - b);
  const batches: number[][] = [];
  let batch: number[] = [];
  for (const index of order) {
    // Ascending lengths: the newcomer is the longest, and sets the padding of all.
    const full = (batch.length + 1) * lengths[index]! > batchTokens;
    const unequal = batching !== 'any-length' && lengths[batch[0] ?? index] !== lengths[index];
    if (batch.length > 0 && (full || unequal || batching === 'alone')) {
      batches.push(batch);
      batch = [];
    }
    batch.push(index);
  }
  if (batch.length > 0) batches.push(batch);
  return batches;
}
