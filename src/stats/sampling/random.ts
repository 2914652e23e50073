import { uniformInt } from 'pure-rand/distribution/uniformInt';
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';

/**
 * The one source of random numbers: xoroshiro128+ (Blackman & Vigna, 2018) seeded by an integer. The same seed
 * gives the same numbers on every machine and Node version.
 */
export class Random {
  readonly #generator: ReturnType<typeof xoroshiro128plus>;

  constructor(seed: number) {
    this.#generator = xoroshiro128plus(seed);
  }

  /** A uniform integer in 0 … bound − 1, without modulo bias. */
  integer(bound: number): number {
    return uniformInt(this.#generator, 0, bound - 1);
  }

  /** Shuffles in place (Fisher–Yates; Durstenfeld, 1964) and returns the same array. */
  shuffle<T extends { [index: number]: number; readonly length: number }>(values: T): T {
    for (let i = values.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      const kept = values[i]!;
      values[i] = values[j]!;
      values[j] = kept;
    }
    return values;
  }

  /** `count` distinct integers of 0 … bound − 1, ascending; all of them when count ≥ bound. */
  sample(bound: number, count: number): Uint32Array {
    const all = Uint32Array.from({ length: bound }, (_, i) => i);
    if (count >= bound) return all;
    for (let i = 0; i < count; i++) {
      const j = i + this.integer(bound - i);
      const kept = all[i]!;
      all[i] = all[j]!;
      all[j] = kept;
    }
    return all.slice(0, count).sort();
  }
}

/** Resolution of uniform draws. */
const STEPS = 2 ** 30;

/** Draws from the distributions that simulations need, from the project's one generator. */
export class Draws {
  readonly #random: Random;
  #spare: number | null = null;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /** Uniform in (0, 1). */
  uniform(): number {
    return (this.#random.integer(STEPS) + 0.5) / STEPS;
  }

  /** Standard normal, by the polar method (Marsaglia & Bray, 1964). */
  gaussian(): number {
    if (this.#spare !== null) {
      const value = this.#spare;
      this.#spare = null;
      return value;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const r = x * x + y * y;
      if (r >= 1 || r === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(r)) / r);
      this.#spare = y * scale;
      return x * scale;
    }
  }
}
