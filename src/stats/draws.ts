import { Random } from './random.js';

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
