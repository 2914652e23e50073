import { UsageError } from '../errors.js';
import { Random } from './random.js';

/** Two disjoint halves of the folds, each ascending. With an odd number of folds `second` has one more. */
export interface FoldHalves {
  readonly first: readonly number[];
  readonly second: readonly number[];
}

/**
 * `splits` random balanced halves of the given folds (a count G stands for folds 0 … G − 1). Splits are drawn
 * independently, so with few folds some repeat.
 *
 * @throws {UsageError} with fewer than two folds.
 */
export function randomHalves(folds: number | readonly number[], splits: number, seed: number): FoldHalves[] {
  const all = typeof folds === 'number' ? Array.from({ length: folds }, (_, fold) => fold) : [...folds];
  if (all.length < 2) {
    throw new UsageError({
      what: 'there are too few folds to split in halves',
      expected: 'at least 2 folds with prompts',
      found: String(all.length),
      remedy: 'capture more items',
    });
  }
  const random = new Random(seed);
  const half = all.length >> 1;
  return Array.from({ length: splits }, () => {
    const shuffled = random.shuffle([...all]);
    return { first: ascending(shuffled.slice(0, half)), second: ascending(shuffled.slice(half)) };
  });
}

function ascending(folds: number[]): number[] {
  return folds.sort((a, b) => a - b);
}
