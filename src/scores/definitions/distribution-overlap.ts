import { HALF_SAMPLES, OF_PROMPTS, type PromptScore } from '../definition.js';
import type { PromptSample } from '../samples/rank-walk.js';

/** Bins of the histograms (docs/scores.md). */
export const OVERLAP_BINS = 64;

/**
 * Overlap of two languages' distributions of a unit's values, Σ_b min(P_a(b), P_c(b)), of 64-bin histograms on common
 * edges, evenly spaced from the unit's smallest value to its largest (the overlapping coefficient of Weitzman, 1970; as
 * histogram intersection Swain & Ballard, 1991). 1: the same histogram; 0: no bin in common.
 *
 * Histograms of few prompts differ by chance, so the overlap of equal distributions is below 1, by about
 * 0.56 √(bins in use / n) with n prompts a language: compare overlaps of equal n only.
 */
export class DistributionOverlap {
  readonly languages: number;
  /** [prompt]: bin of the unit loaded last. */
  readonly #bin: Uint8Array;
  /** [language, bin]: of the sample counted last, the share of a language's prompts; NaN for one without prompts. */
  readonly #shares: Float64Array;

  constructor(prompts: number, languages: number) {
    this.languages = languages;
    this.#bin = new Uint8Array(prompts);
    this.#shares = new Float64Array(languages * OVERLAP_BINS);
  }

  /** Finds the bins of a unit's values [prompt]; false if one is not finite. */
  load(values: Float32Array | Float64Array): boolean {
    let low = Infinity;
    let high = -Infinity;
    let sum = 0;
    for (let n = 0; n < values.length; n++) {
      const value = values[n]!;
      if (value < low) low = value;
      if (value > high) high = value;
      sum += value * 0;
    }
    if (sum !== 0) return false;
    const scale = high > low ? OVERLAP_BINS / (high - low) : 0;
    for (let n = 0; n < values.length; n++) {
      this.#bin[n] = Math.min(OVERLAP_BINS - 1, Math.floor((values[n]! - low) * scale));
    }
    return true;
  }

  /**
   * Counts a sample of the unit loaded last.
   *
   * @param merged Neighbouring bins that are made one, as a power of two: 1 for two. Half the items in half the bins fill
   *   each as the whole does, which is what an overlap of samples hangs on.
   */
  count({ labels, weights }: PromptSample, merged = 0): void {
    const shares = this.#shares.fill(0);
    const bin = this.#bin;
    for (let n = 0; n < labels.length; n++) {
      shares[labels[n]! * OVERLAP_BINS + (bin[n]! >> merged)]! += weights[n]!;
    }
    for (let start = 0; start < shares.length; start += OVERLAP_BINS) {
      let total = 0;
      for (let b = start; b < start + OVERLAP_BINS; b++) total += shares[b]!;
      const scale = 1 / total;
      for (let b = start; b < start + OVERLAP_BINS; b++) shares[b]! *= scale;
    }
  }

  /** Overlap of two languages in the sample counted last; NaN if either has no prompts. */
  pair(a: number, b: number): number {
    const shares = this.#shares;
    const [atA, atB] = [a * OVERLAP_BINS, b * OVERLAP_BINS];
    let overlap = 0;
    for (let bin = 0; bin < OVERLAP_BINS; bin++) overlap += Math.min(shares[atA + bin]!, shares[atB + bin]!);
    // Rounding can leave a hair over 1.
    return Math.min(1, overlap);
  }

  /**
   * Mean overlap of each language with the others, [language], to `out`; returns the mean over all pairs. NaN where a
   * pair has none, or with one language.
   */
  means(out: Float64Array): number {
    const { languages } = this;
    out.fill(0);
    let sum = 0;
    for (let a = 0; a < languages; a++) {
      for (let b = a + 1; b < languages; b++) {
        const overlap = this.pair(a, b);
        out[a]! += overlap;
        out[b]! += overlap;
        sum += overlap;
      }
    }
    for (let k = 0; k < languages; k++) out[k] = languages > 1 ? out[k]! / (languages - 1) : Number.NaN;
    return languages > 1 ? (2 * sum) / (languages * (languages - 1)) : Number.NaN;
  }
}

/**
 * Overlap of every pair of languages of one unit, [language, language], symmetric, 1 on the diagonal; NaN values are
 * left out.
 *
 * @param values [prompt].
 * @param language [prompt].
 */
export function distributionOverlap(
  values: ArrayLike<number>,
  language: ArrayLike<number>,
  languages: number,
): Float64Array {
  const kept = Array.from({ length: values.length }, (_, n) => n).filter((n) => !Number.isNaN(values[n]!));
  const overlap = new DistributionOverlap(kept.length, languages);
  const matrix = new Float64Array(languages * languages).fill(Number.NaN);
  if (!overlap.load(Float64Array.from(kept, (n) => values[n]!))) return matrix;
  overlap.count({
    labels: Uint8Array.from(kept, (n) => language[n]!),
    weights: new Uint8Array(kept.length).fill(1),
    total: kept.length,
  });
  for (let a = 0; a < languages; a++) {
    for (let b = 0; b < languages; b++) matrix[a * languages + b] = overlap.pair(a, b);
  }
  return matrix;
}

export const overlapScore: PromptScore = {
  ...OF_PROMPTS,
  name: 'overlap',
  title: 'Overlap of distributions',
  source: 'Weitzman, 1970',
  asked: 'overlap',
  per: 'unit',
  part: 'overlap',
  about:
    'overlap of 64-bin histograms, mean over pairs of languages; 1: the same; falls short of it by chance alone',
  range: '0 … 1',
  how: HALF_SAMPLES,
  evaluate: (values) => values.overlapMean,
  interval: (uncertainty) => uncertainty.overlapMean,
  span: () => 1,
  coverage: 'overlapMean',
};

export const languageOverlapScore: PromptScore = {
  ...overlapScore,
  title: 'Overlap with the other languages',
  per: 'language',
  about: 'overlap of 64-bin histograms with the other languages, mean',
  evaluate: (values) => values.overlap,
  interval: (uncertainty) => uncertainty.overlap,
  reliability: null,
  coverage: 'overlap',
};
