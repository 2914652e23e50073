import { createHash } from 'node:crypto';

/** A number in [0, 1) that depends on `key` alone: the first 48 bits of its SHA-256. */
export function seededFraction(key: string): number {
  return createHash('sha256').update(key).digest().readUIntBE(0, 6) / 2 ** 48;
}

/** `values` in an order that depends on `seed` and each value's key alone, not on the order they came in. */
export function seededOrder<T>(values: Iterable<T>, seed: string, keyOf: (value: T) => string): T[] {
  return [...values]
    .map((value) => ({ value, key: keyOf(value) }))
    .map(({ value, key }) => ({ value, key, rank: seededFraction(`${seed}:${key}`) }))
    .sort((a, b) => a.rank - b.rank || (a.key < b.key ? -1 : 1))
    .map(({ value }) => value);
}
