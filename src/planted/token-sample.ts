import { UsageError } from '../errors.js';

/** Tokens of each language that are kept one by one, at most. */
export const SAMPLED_TOKENS = 1500;

/** Some of the calibration tokens, evenly spread, each with what the MLP reads there. */
export class TokenSample {
  readonly languages: number;
  readonly width: number;
  /** [token, width]; tokens of a language together. */
  readonly #rows: Float32Array;
  /** [language]: every how many tokens one is kept; where they begin in `rows`; how many were seen. */
  readonly #stride: Uint32Array;
  readonly #start: Uint32Array;
  readonly #seen: Uint32Array;

  /** @param tokens [language]: how many will be offered. */
  constructor(tokens: ArrayLike<number>, width: number) {
    this.languages = tokens.length;
    this.width = width;
    this.#stride = Uint32Array.from(tokens, (count) => Math.max(1, Math.ceil(count / SAMPLED_TOKENS)));
    this.#seen = new Uint32Array(tokens.length);
    this.#start = new Uint32Array(tokens.length + 1);
    for (let k = 0; k < tokens.length; k++) {
      this.#start[k + 1] = this.#start[k]! + Math.ceil(tokens[k]! / this.#stride[k]!);
    }
    this.#rows = new Float32Array(this.#start[tokens.length]! * width);
  }

  add(language: number, values: ArrayLike<number>, at: number): void {
    const seen = this.#seen[language]!++;
    const stride = this.#stride[language]!;
    if (seen % stride !== 0) return;
    const to = (this.#start[language]! + seen / stride) * this.width;
    for (let a = 0; a < this.width; a++) this.#rows[to + a] = values[at + a]!;
  }

  /** Mean over each language's tokens of act(gate·x), [language], and of act(gate·x) x, [language, width]. */
  gatedMeans(
    gate: ArrayLike<number>,
    act: (x: number) => number,
  ): { act: Float64Array; gated: Float64Array } {
    const { width, languages } = this;
    const rows = this.#rows;
    const row = Float64Array.from(gate);
    const acts = new Float64Array(languages);
    const gated = new Float64Array(languages * width);
    const sums = new Float64Array(width);
    for (let k = 0; k < languages; k++) {
      const [first, past] = [this.#start[k]!, this.#start[k + 1]!];
      sums.fill(0);
      let total = 0;
      for (let at = first * width; at < past * width; at += width) {
        let x = 0;
        for (let a = 0; a < width; a++) x += row[a]! * rows[at + a]!;
        const y = act(x);
        total += y;
        for (let a = 0; a < width; a++) sums[a]! += y * rows[at + a]!;
      }
      acts[k] = total / (past - first);
      for (let a = 0; a < width; a++) gated[k * width + a] = sums[a]! / (past - first);
    }
    return { act: acts, gated };
  }
}

const GELU_TANH = Math.sqrt(2 / Math.PI);

/** `hidden_act` on numbers; the forms of GELU differ by less than 1e-3. @throws UsageError for another */
export function activationFunction(name: string): (x: number) => number {
  if (name === 'silu' || name === 'swish') return (x) => x / (1 + Math.exp(-x));
  if (name === 'relu') return (x) => Math.max(0, x);
  if (name.startsWith('gelu')) return (x) => 0.5 * x * (1 + Math.tanh(GELU_TANH * (x + 0.044715 * x ** 3)));
  throw new UsageError({
    what: 'planting does not know this activation',
    where: 'hidden_act',
    expected: 'silu, gelu or relu',
    found: name,
  });
}

/** Mean of act over a normal distribution, by the trapezoidal rule over ± 6 standard deviations. */
export function meanOverNormal(act: (x: number) => number, mean: number, spread: number): number {
  const step = 1 / 32;
  let sum = 0;
  for (let z = -6; z <= 6; z += step) sum += Math.exp(-0.5 * z * z) * act(mean + spread * z);
  return (sum * step) / Math.sqrt(2 * Math.PI);
}
