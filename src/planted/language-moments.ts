/**
 * Means of a vector in each language and its covariance within languages, gathered token by token. Every language
 * weighs the same in the covariance, however many tokens it has.
 */
export class LanguageMoments {
  readonly languages: number;
  readonly width: number;
  /** [language]: tokens added. */
  readonly tokens: Float64Array;
  readonly #sum: Float64Array;
  /** [language, width, width], lower triangles. */
  readonly #square: Float64Array;

  constructor(languages: number, width: number) {
    this.languages = languages;
    this.width = width;
    this.tokens = new Float64Array(languages);
    this.#sum = new Float64Array(languages * width);
    this.#square = new Float64Array(languages * width * width);
  }

  /** Adds a token of a language: `values[at … at + width − 1]`. */
  add(language: number, values: ArrayLike<number>, at = 0): void {
    const { width } = this;
    this.tokens[language]! += 1;
    const sumAt = language * width;
    const squareAt = language * width * width;
    for (let a = 0; a < width; a++) {
      const x = values[at + a]!;
      this.#sum[sumAt + a]! += x;
      const row = squareAt + a * width;
      for (let b = 0; b <= a; b++) this.#square[row + b]! += x * values[at + b]!;
    }
  }

  /** [width]: sum over all tokens of all languages. */
  total(): Float64Array {
    const total = new Float64Array(this.width);
    for (let i = 0; i < this.#sum.length; i++) total[i % this.width]! += this.#sum[i]!;
    return total;
  }

  /** [language, width]. */
  means(): Float64Array {
    return this.#sum.map((sum, i) => sum / this.tokens[Math.floor(i / this.width)]!);
  }

  /** [width, width]: mean over languages of the covariance within each. */
  within(): Float64Array {
    const { width, languages } = this;
    const means = this.means();
    const within = new Float64Array(width * width);
    for (let k = 0; k < languages; k++) {
      const scale = 1 / (this.tokens[k]! * languages);
      for (let a = 0; a < width; a++) {
        for (let b = 0; b <= a; b++) {
          const product = (means[k * width + a]! * means[k * width + b]!) / languages;
          within[a * width + b]! += this.#square[(k * width + a) * width + b]! * scale - product;
        }
      }
    }
    for (let a = 0; a < width; a++)
      for (let b = 0; b < a; b++) within[b * width + a] = within[a * width + b]!;
    return within;
  }
}
