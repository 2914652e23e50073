import { expect } from 'vitest';

/** What rounding may make of a number on another processor, relative to the largest value beside it. */
const ROUNDING = 1e-4;

/** Whether rounding, which differs between processors and batches, could carry a value over zero. */
export function isNearZero(value: number, largest: number): boolean {
  return Math.abs(value) <= ROUNDING * largest;
}

/**
 * Fails where a count of positive values is another than expected by more than the values that rounding could carry
 * over zero.
 *
 * @param near How many values of each count are near zero.
 */
export function expectFiring(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  near: ArrayLike<number>,
  label = 'fire',
): void {
  expect(found.length, label).toBe(expected.length);
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(found[i]! - expected[i]!);
    if (!(difference <= near[i]!)) {
      expect.fail(`${label} [${i}]: ${found[i]} instead of ${expected[i]}, with ${near[i]} values near zero`);
    }
  }
}

/** The largest magnitude among values; NaN is passed over. */
export function largestOf(values: Iterable<number>): number {
  let largest = 0;
  for (const value of values) if (Math.abs(value) > largest) largest = Math.abs(value);
  return largest;
}
