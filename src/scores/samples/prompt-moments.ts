import type { PooledGrid } from '../../store/index.js';
import type { PromptSample } from './rank-walk.js';

/**
 * Sums of a unit's values over a sample of prompts, for what is made of means and variances. Values are taken less the
 * unit's first, so that nothing is lost by cancellation and a constant unit is exactly zero.
 */
export class PromptMoments {
  /** Prompts and Σ x of the sample gathered last, [language]. */
  readonly counts: Float64Array;
  readonly sums: Float64Array;
  /** Σ x² over all its prompts. */
  square = 0;
  /** [language]: Σ x over items that every language has. */
  readonly completeSums: Float64Array;
  readonly #languages: number;
  /** Prompt at which each item with prompts begins, and one past the last. */
  readonly #starts: Uint32Array;
  readonly #values: Float64Array;
  /** [item in order]: Σ x². */
  readonly #squares: Float64Array;
  /** Whether the values of items that every language has differ at all. */
  #completeVary = false;

  constructor({ item, languages }: PooledGrid) {
    const starts = Array.from(item.keys()).filter((n) => n === 0 || item[n] !== item[n - 1]);
    this.#languages = languages;
    this.#starts = Uint32Array.of(...starts, item.length);
    this.#values = new Float64Array(item.length);
    this.#squares = new Float64Array(starts.length);
    this.counts = new Float64Array(languages);
    this.sums = new Float64Array(languages);
    this.completeSums = new Float64Array(languages);
  }

  /** Takes the values [prompt] of a unit. */
  load(values: Float32Array | Float64Array): void {
    const shift = values[0]!;
    let [least, most] = [Infinity, -Infinity];
    for (let i = 0; i < this.#squares.length; i++) {
      let square = 0;
      for (let n = this.#starts[i]!; n < this.#starts[i + 1]!; n++) {
        const x = values[n]! - shift;
        this.#values[n] = x;
        square += x * x;
      }
      this.#squares[i] = square;
      if (this.#starts[i + 1]! - this.#starts[i]! < this.#languages) continue;
      for (let n = this.#starts[i]!; n < this.#starts[i + 1]!; n++) {
        least = Math.min(least, values[n]!);
        most = Math.max(most, values[n]!);
      }
    }
    this.#completeVary = most > least;
  }

  /** Adds up a sample of the unit loaded last. */
  gather({ labels, weights }: PromptSample): void {
    const languages = this.#languages;
    const values = this.#values;
    const counts = this.counts.fill(0);
    const complete = this.completeSums.fill(0);
    // Here at first what incomplete items add.
    const sums = this.sums.fill(0);
    let completeItems = 0;
    let square = 0;
    for (let i = 0; i < this.#squares.length; i++) {
      const start = this.#starts[i]!;
      const end = this.#starts[i + 1]!;
      const weight = weights[start]!;
      if (weight === 0) continue;
      square += weight * this.#squares[i]!;
      if (end - start === languages) {
        completeItems += weight;
        for (let n = start; n < end; n++) complete[labels[n]!]! += weight * values[n]!;
      } else {
        for (let n = start; n < end; n++) {
          sums[labels[n]!]! += weight * values[n]!;
          counts[labels[n]!]! += weight;
        }
      }
    }
    this.square = square;
    for (let k = 0; k < languages; k++) {
      sums[k]! += complete[k]!;
      counts[k]! += completeItems;
    }
  }

  /**
   * Σ_k (Σ_i x_{i,k})² over complete items: rises with SS_language while labels are permuted within items. NaN where
   * SS_total is 0: a unit without a decomposition has no test of it.
   */
  get completeSumSquares(): number {
    if (!this.#completeVary) return Number.NaN;
    let squares = 0;
    for (const sum of this.completeSums) squares += sum * sum;
    return squares;
  }
}
