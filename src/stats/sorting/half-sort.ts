/** Most values that `HalfSort` takes: a position shares a 32-bit word with its key. */
export const HALF_SORT_MOST = 65_536;

const BUCKETS = 256;

/**
 * Descending stable sort of float16 values given by their bits: a radix sort (Knuth, TAOCP vol. 3, 5.2.5) of two passes
 * of eight bits over words that carry key and position together, so that every pass reads in order. −0 equals 0.
 */
export class HalfSort {
  readonly #low = new Uint32Array(BUCKETS);
  readonly #high = new Uint32Array(BUCKETS);
  readonly #half: Uint32Array;
  readonly #sorted: Uint32Array;

  /** @param values Their number, at most `HALF_SORT_MOST`. */
  constructor(values: number) {
    this.#half = new Uint32Array(values);
    this.#sorted = new Uint32Array(values);
  }

  /**
   * Words in descending order of value: `word & 0xffff` is the position, `word >>> 16` a key that equal values share.
   * Overwritten by the next call.
   *
   * @param bits None NaN.
   */
  descending(bits: Uint16Array): Uint32Array {
    const low = this.#low.fill(0);
    const high = this.#high.fill(0);
    for (let i = 0; i < bits.length; i++) {
      const key = keyOf(bits[i]!);
      low[key & 0xff]! += 1;
      high[key >>> 8]! += 1;
    }
    let lowStart = 0;
    let highStart = 0;
    for (let b = 0; b < BUCKETS; b++) {
      const [ofLow, ofHigh] = [low[b]!, high[b]!];
      low[b] = lowStart;
      high[b] = highStart;
      lowStart += ofLow;
      highStart += ofHigh;
    }
    const half = this.#half;
    for (let i = 0; i < bits.length; i++) {
      const key = keyOf(bits[i]!);
      const at = low[key & 0xff]!;
      low[key & 0xff] = at + 1;
      half[at] = (key << 16) | i;
    }
    const sorted = this.#sorted;
    for (let i = 0; i < bits.length; i++) {
      const word = half[i]!;
      const at = high[word >>> 24]!;
      high[word >>> 24] = at + 1;
      sorted[at] = word;
    }
    return sorted;
  }
}

/** Rises as the value falls: 0x7fff − bits if positive, bits − 1 if negative, so that both zeros have 0x7fff. */
function keyOf(bits: number): number {
  const sign = bits >>> 15;
  return (bits ^ ((sign - 1) & 0x7fff)) - sign;
}
