import { OF_PROMPTS, type PromptScore } from '../definition.js';
import { walkedUnit } from '../samples/rank-walk.js';

/**
 * Mutual information I(bin(x); language) in nats (Shannon, 1948), x in 16 equal-count bins over all prompts (tied values
 * share the bin of their midrank), with the correction of Miller and Madow (1955) applied to each entropy: the plug-in
 * estimate plus (m_bin + m_language − m_both − 1) / 2N, where m counts cells that are not empty. Between about 0
 * (slightly negative where there is nothing to tell) and H(language) + (K − 1) / 2N. 0 for a constant unit, which tells
 * nothing.
 *
 * Made for repeated use: c ln c is tabulated up to the number of prompts.
 */
export class MutualInformation {
  /** [count]: c ln c. */
  readonly #cLogC: Float64Array;
  #correction = Number.NaN;

  /** The correction's share of the estimate that was made last, nats; mostly negative. */
  get correction(): number {
    return this.#correction;
  }

  constructor(prompts: number) {
    this.#cLogC = Float64Array.from({ length: prompts + 1 }, (_, c) => (c === 0 ? 0 : c * Math.log(c)));
  }

  /** @param counts [bin, language], whole numbers. NaN if fewer than two languages have prompts. */
  of(counts: Float64Array, languages: number): number {
    const f = this.#cLogC;
    let total = 0;
    let joint = 0;
    let cells = 0;
    let margins = 0;
    let filled = 0;
    for (let at = 0; at < counts.length; at += languages) {
      let bin = 0;
      for (let k = 0; k < languages; k++) {
        const count = counts[at + k]!;
        bin += count;
        joint += f[count]!;
        if (count > 0) cells++;
      }
      margins += f[bin]!;
      total += bin;
      if (bin > 0) filled++;
    }
    let present = 0;
    for (let k = 0; k < languages; k++) {
      let own = 0;
      for (let at = k; at < counts.length; at += languages) own += counts[at]!;
      margins += f[own]!;
      if (own > 0) present++;
    }
    if (present < 2) return Number.NaN;
    this.#correction = (filled + present - cells - 1) / (2 * total);
    return (joint - margins + f[total]!) / total + this.#correction;
  }
}

/**
 * Mutual information of one unit, nats; NaN values are left out.
 *
 * @param values [prompt].
 * @param language [prompt].
 */
export function mutualInformation(
  values: ArrayLike<number>,
  language: ArrayLike<number>,
  languages: number,
): number {
  const walk = walkedUnit(values, language, languages);
  return walk === null ? Number.NaN : new MutualInformation(values.length).of(walk.bins, languages);
}

/** H(language), nats: what there is to be told. @param prompts [language] */
export function languageEntropy(prompts: ArrayLike<number>): number {
  const counts = Array.from(prompts);
  const total = counts.reduce((a, b) => a + b, 0);
  return counts.reduce((h, n) => (n > 0 ? h - (n / total) * Math.log(n / total) : h), 0);
}

export const miScore: PromptScore = {
  ...OF_PROMPTS,
  name: 'mi',
  title: 'Mutual information',
  source: 'Shannon, 1948; Miller, 1955',
  asked: 'mi',
  per: 'unit',
  part: 'mi',
  about:
    "mutual information of pooled value (16 equal-count bins) and language, nats, Miller–Madow corrected; beside it H(language) in the table's `language_entropy`",
  range: 'about 0 … H(language)',
  how: 'random half-samples of the folds; the interval as of a sum of squares, against mi under permutation; --uncertainty full',
  tests: [{ name: 'mi', sides: 'one-sided', part: 'mi', of: (p) => p.mi }],
  evaluate: (values) => values.mi,
  interval: (uncertainty) => uncertainty.mi,
  span: () => Infinity,
  coverage: 'mi',
};
