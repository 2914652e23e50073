import { CholeskyDecomposition, Matrix } from 'ml-matrix';
import type { LanguageMoments } from './language-moments.js';

/**
 * Share of the mean variance that is added to every direction, so that a direction in which the calibration tokens
 * hardly vary is not taken for one without noise.
 */
const RIDGE = 1e-3;
/** Relative to the mean diagonal of a Gram matrix. */
const JITTER = 1e-9;

/** The moments of a readout on the tokens it was made from. */
export interface ReadoutStatistics {
  /** [language]. */
  readonly means: Float64Array;
  /** Standard deviation within languages, every language weighing the same. */
  readonly spread: number;
}

/**
 * Linear readouts w·x of a vector that have a chosen mean in every language. Of all w with w·m_k = t_k the one of least
 * variance within languages is S⁻¹M (MᵀS⁻¹M)⁻¹ t (with M the languages' means and S the covariance within languages):
 * Fisher's discriminant (1936) for means that are all prescribed, absolute ones, so that no bias is needed.
 */
export class Readouts {
  readonly languages: number;
  readonly width: number;
  readonly #within: Matrix;
  /** S⁻¹, [width, width] */
  readonly #inverse: Matrix;
  /** [width, language] */
  readonly #means: Matrix;
  /** S⁻¹M, [width, language] */
  readonly #solved: Matrix;
  /** (MᵀS⁻¹M)⁻¹: the variance within languages that means t cost is tᵀ#cost t. */
  readonly #cost: Matrix;

  constructor(moments: LanguageMoments) {
    const { languages, width } = moments;
    this.languages = languages;
    this.width = width;
    this.#within = Matrix.from1DArray(width, width, moments.within());
    const ridged = this.#within.clone();
    const ridge = (RIDGE * ridged.trace()) / width;
    for (let a = 0; a < width; a++) ridged.set(a, a, ridged.get(a, a) + ridge);
    this.#means = Matrix.from1DArray(languages, width, moments.means()).transpose();
    this.#inverse = new CholeskyDecomposition(ridged).solve(Matrix.eye(width));
    this.#solved = this.#inverse.mmul(this.#means);
    this.#cost = inverseOf(this.#means.transpose().mmul(this.#solved));
  }

  /** Least standard deviation within languages of a readout with these means [language]. */
  leastSpread(means: ArrayLike<number>): number {
    const t = column(means);
    return Math.sqrt(Math.max(0, t.transpose().mmul(this.#cost.mmul(t)).get(0, 0)));
  }

  /**
   * The largest strength that can be planted for a language: the difference, in standard deviations within
   * languages, between its mean and the mean `elsewhere` that all others have. NaN if not even 0 can.
   */
  reach(language: number, elsewhere: number): number {
    const others = column(new Float64Array(this.languages).fill(elsewhere));
    const costOfOthers = this.#cost.mmul(others);
    // 1 = (others + s e_k)ᵀ cost (others + s e_k), a quadratic in s.
    const a = this.#cost.get(language, language);
    const b = costOfOthers.get(language, 0);
    const c = others.transpose().mmul(costOfOthers).get(0, 0) - 1;
    const root = c > 0 ? Number.NaN : Math.sqrt(b * b - a * c);
    return (root - b) / a;
  }

  /**
   * A readout with the given means and, within languages, the given spread. What the means leave of the spread is
   * taken from `own`, less all that tells languages apart in it.
   *
   * @param own [width]
   * @returns [width]; null if the means cost more than the spread
   */
  readout(means: ArrayLike<number>, spread: number, own: ArrayLike<number>): Float64Array | null {
    const least = this.leastSpread(means);
    if (!(least <= spread)) return null;
    const w = this.#solved.mmul(this.#cost.mmul(column(means)));
    const o = column(own);
    const ownMeans = this.#means.transpose().mmul(o);
    const rest = o.sub(this.#solved.mmul(this.#cost.mmul(ownMeans)));
    const restSpread = Math.sqrt(rest.transpose().mmul(this.#within.mmul(rest)).get(0, 0));
    if (restSpread > 0) w.add(rest.mul(Math.sqrt(spread * spread - least * least) / restSpread));
    return Float64Array.from(w.to1DArray());
  }

  /**
   * The readout of least variance within languages whose products with the vectors are the given ones: S⁻¹A(AᵀS⁻¹A)⁻¹ t.
   *
   * @param vectors [vector, width]
   * @param products [vector]
   * @returns [width]
   */
  least(vectors: Float64Array, products: ArrayLike<number>): Float64Array {
    const rows = Matrix.from1DArray(products.length, this.width, vectors);
    // S⁻¹ is symmetric.
    const solved = rows.mmul(this.#inverse).transpose();
    const weights = inverseOf(rows.mmul(solved)).mmul(column(products));
    return Float64Array.from(solved.mmul(weights).to1DArray());
  }

  /** The moments of a readout [width], however it was made, on the tokens. */
  describe(readout: ArrayLike<number>): ReadoutStatistics {
    const w = column(readout);
    const variance = w.transpose().mmul(this.#within.mmul(w)).get(0, 0);
    return {
      means: Float64Array.from(this.#means.transpose().mmul(w).to1DArray()),
      spread: Math.sqrt(Math.max(0, variance)),
    };
  }
}

/** Inverts a matrix that is symmetric but for rounding; a jitter keeps one of nearly dependent vectors solvable. */
function inverseOf(gram: Matrix): Matrix {
  const symmetric = gram.clone().add(gram.transpose()).mul(0.5);
  const jitter = (JITTER * symmetric.trace()) / gram.rows;
  for (let v = 0; v < gram.rows; v++) symmetric.set(v, v, symmetric.get(v, v) + jitter);
  return new CholeskyDecomposition(symmetric).solve(Matrix.eye(gram.rows));
}

function column(values: ArrayLike<number>): Matrix {
  return Matrix.columnVector(Array.from(values));
}
