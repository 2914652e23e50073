import { UsageError } from '../../errors.js';
import { Random } from './random.js';

/**
 * Bootstrap draws of items with replacement (Efron, 1979): how often each item was drawn, uint8 [draw, item]. An item
 * stands for its prompts in all languages, which are drawn together, since they share what the item is about.
 */
export function itemDraws(items: number, draws: number, seed: number): Uint8Array {
  const random = new Random(seed);
  const counts = new Uint8Array(draws * items);
  for (let b = 0; b < draws; b++) {
    const start = b * items;
    for (let n = 0; n < items; n++) counts[start + random.integer(items)]! += 1;
  }
  return counts;
}

/**
 * Labels permuted within items: uint8 [permutation, prompt], where prompts of one item lie together and keep their
 * labels among themselves. What is said of items is left as it is; a prompt without another of its item keeps its label.
 *
 * @param label [prompt].
 * @param item [prompt], ascending.
 */
export function itemPermutations(
  label: ArrayLike<number>,
  item: ArrayLike<number>,
  permutations: number,
  seed: number,
): Uint8Array {
  const random = new Random(seed);
  const prompts = label.length;
  const permuted = new Uint8Array(permutations * prompts);
  for (let n = 0; n < permutations; n++) {
    const labels = permuted.subarray(n * prompts, (n + 1) * prompts);
    labels.set(label);
    for (let start = 0; start < prompts; ) {
      let end = start + 1;
      while (end < prompts && item[end] === item[start]) end++;
      if (end > start + 1) random.shuffle(labels.subarray(start, end));
      start = end;
    }
  }
  return permuted;
}

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
