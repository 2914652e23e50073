import { quantileSorted } from 'simple-statistics';

/**
 * The p-quantile by linear interpolation between order statistics (type 7 of Hyndman & Fan, 1996: the default of
 * numpy and R). NaN values are left out; NaN if none remains.
 */
export function quantile(values: ArrayLike<number>, p: number): number {
  const sorted = Float64Array.from(values).sort();
  // Typed arrays sort NaN last.
  let count = sorted.length;
  while (count > 0 && Number.isNaN(sorted[count - 1]!)) count--;
  if (count === 0) return Number.NaN;
  return quantileSorted(sorted.subarray(0, count) as unknown as number[], p);
}

/**
 * `quantile` of values that pass by a block at a time. Of all values only the share above the quantile is held, twice over:
 * a tenth of them for p = 0.95.
 */
export class UpperQuantile {
  readonly #p: number;
  /** Values from the quantile upward, if none is NaN. */
  readonly #capacity: number;
  readonly #kept: Float64Array;
  #held = 0;
  #count = 0;
  /** Values that are not above it cannot matter. */
  #least = Number.NEGATIVE_INFINITY;

  /** @param most Values that will be added, at most. */
  constructor(p: number, most: number) {
    this.#p = p;
    this.#capacity = upperCount(most, p);
    this.#kept = new Float64Array(Math.min(most, 2 * this.#capacity));
  }

  /** Adds values; NaN is left out. */
  add(values: Float64Array): void {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      if (Number.isNaN(value)) continue;
      this.#count++;
      if (value <= this.#least) continue;
      if (this.#held === this.#kept.length) this.#drop();
      this.#kept[this.#held++] = value;
    }
  }

  /** NaN if nothing was added. */
  value(): number {
    const n = this.#count;
    if (n === 0) return Number.NaN;
    const sorted = this.#kept.slice(0, this.#held).sort();
    const needed = sorted.subarray(sorted.length - upperCount(n, this.#p));
    // The quantile lies between the first two of them.
    const position = (n - 1) * this.#p;
    return quantileSorted(
      needed.subarray(0, 2) as unknown as number[],
      needed.length === 1 ? 0 : position - Math.floor(position),
    );
  }

  #drop(): void {
    const kept = this.#kept.sort();
    kept.copyWithin(0, kept.length - this.#capacity);
    this.#held = this.#capacity;
    this.#least = kept[0]!;
  }
}

/** Counts, of n values in ascending order, those from the last that is not above the p-quantile on. */
function upperCount(n: number, p: number): number {
  return n === 0 ? 0 : n - Math.floor((n - 1) * p);
}

/** The mean of the values that are not NaN; NaN if none is. */
export function meanOfPresent(values: ArrayLike<number>): number {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i]!)) continue;
    sum += values[i]!;
    count++;
  }
  return count === 0 ? Number.NaN : sum / count;
}
