const DIGIT_BITS = 11;
const BUCKETS = 1 << DIGIT_BITS;
/** 11 + 11 + 10 bits make a 32-bit word. */
const DIGITS_PER_WORD = 3;

/**
 * Ascending stable sort by index: a least-significant-digit radix sort (Knuth, TAOCP vol. 3, 5.2.5) of the bits of
 * float32 or float64 values, mapped so that their order is that of unsigned integers. −0 equals 0; NaN comes first or
 * last, by its sign bit. Digits that all values share are skipped, so values that came from float16 cost two passes.
 * Work space is kept between calls.
 */
export class Argsort {
  readonly #counts = new Uint32Array(BUCKETS * DIGITS_PER_WORD);
  #low: Uint32Array;
  #high: Uint32Array;
  #order: Uint32Array;
  #next: Uint32Array;

  constructor(capacity = 0) {
    this.#low = new Uint32Array(capacity);
    this.#high = new Uint32Array(capacity);
    this.#order = new Uint32Array(capacity);
    this.#next = new Uint32Array(capacity);
  }

  /** Indices of `values` in ascending order of value, equal values in order of index; overwritten by the next call. */
  order(values: Float32Array | Float64Array): Uint32Array {
    const n = values.length;
    if (this.#order.length < n) {
      this.#low = new Uint32Array(n);
      this.#high = new Uint32Array(n);
      this.#order = new Uint32Array(n);
      this.#next = new Uint32Array(n);
    }
    const order = this.#order;
    for (let i = 0; i < n; i++) order[i] = i;
    if (values instanceof Float32Array) {
      floatKeys(values, this.#low);
      this.#sortBy(this.#low, n);
    } else {
      doubleKeys(values, this.#low, this.#high);
      this.#sortBy(this.#low, n);
      this.#sortBy(this.#high, n);
    }
    return this.#order.subarray(0, n);
  }

  #sortBy(keys: Uint32Array, n: number): void {
    const counts = this.#counts.fill(0);
    for (let i = 0; i < n; i++) {
      const key = keys[i]!;
      counts[key & (BUCKETS - 1)]! += 1;
      counts[BUCKETS + ((key >>> DIGIT_BITS) & (BUCKETS - 1))]! += 1;
      counts[2 * BUCKETS + (key >>> (2 * DIGIT_BITS))]! += 1;
    }
    for (let digit = 0; digit < DIGITS_PER_WORD; digit++) {
      const shift = digit * DIGIT_BITS;
      const base = digit * BUCKETS;
      if (n === 0 || counts[base + ((keys[0]! >>> shift) & (BUCKETS - 1))] === n) continue;
      let start = 0;
      for (let b = base; b < base + BUCKETS; b++) {
        const count = counts[b]!;
        counts[b] = start;
        start += count;
      }
      const from = this.#order;
      const to = this.#next;
      for (let i = 0; i < n; i++) {
        const index = from[i]!;
        const bucket = base + ((keys[index]! >>> shift) & (BUCKETS - 1));
        to[counts[bucket]!] = index;
        counts[bucket]! += 1;
      }
      this.#order = to;
      this.#next = from;
    }
  }
}

/** Positive floats get their sign bit set, negative floats are complemented. */
function floatKeys(values: Float32Array, keys: Uint32Array): void {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  for (let i = 0; i < values.length; i++) {
    const word = bits[i]! === 0x80000000 ? 0 : bits[i]!;
    keys[i] = word ^ ((word >> 31) | 0x80000000);
  }
}

function doubleKeys(values: Float64Array, low: Uint32Array, high: Uint32Array): void {
  const pair = new Float64Array(1);
  const words = new Uint32Array(pair.buffer);
  for (let i = 0; i < values.length; i++) {
    pair[0] = values[i]! + 0;
    // Little-endian, as every platform Node runs on here is.
    const top = words[1]!;
    const sign = top >> 31;
    low[i] = words[0]! ^ sign;
    high[i] = top ^ (sign | 0x80000000);
  }
}
