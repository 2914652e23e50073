import { OF_PROMPTS, PERCENTILE, type PromptScore } from '../definition.js';
/**
 * Selectivity d_k = J (mean_k − mean_rest) / s: how many standard deviations language k lies above all other prompts
 * together, s the pooled within-language standard deviation, s² = Σ_k Σ (x − mean_k)² / (N − K), with Hedges' correction
 * J = 1 − 3 / (4 (N − K) − 1) for its bias (Hedges, 1981). For two languages it is Hedges' g.
 *
 * @param counts [language]: prompts.
 * @param sums [language]: Σ x.
 * @param square Σ x² over all prompts. Sums may be of x less any one number.
 * @param out [language]; NaN for all if values do not vary within languages or a language has no prompts.
 */
export function selectivityOf(
  counts: Float64Array,
  sums: Float64Array,
  square: number,
  out: Float64Array,
): void {
  const languages = counts.length;
  let total = 0;
  let sum = 0;
  let between = 0;
  for (let k = 0; k < languages; k++) {
    total += counts[k]!;
    sum += sums[k]!;
    between += (sums[k]! * sums[k]!) / counts[k]!;
  }
  const freedom = total - languages;
  const within = square - between;
  // What rounding leaves of values that are constant within every language is no spread.
  const spread =
    within > square * total * Number.EPSILON && freedom > 0 ? Math.sqrt(within / freedom) : Number.NaN;
  const correction = 1 - 3 / (4 * freedom - 1);
  for (let k = 0; k < languages; k++) {
    const rest = (sum - sums[k]!) / (total - counts[k]!);
    out[k] = (correction * (sums[k]! / counts[k]! - rest)) / spread;
  }
}

/**
 * Selectivity of one unit for every language, [language]; NaN values are left out.
 *
 * @param values [prompt].
 * @param language [prompt].
 */
export function selectivity(
  values: ArrayLike<number>,
  language: ArrayLike<number>,
  languages: number,
): Float64Array {
  const counts = new Float64Array(languages);
  const sums = new Float64Array(languages);
  const out = new Float64Array(languages);
  let shift = Number.NaN;
  let square = 0;
  for (let n = 0; n < values.length; n++) {
    if (Number.isNaN(values[n]!)) continue;
    if (Number.isNaN(shift)) shift = values[n]!;
    const x = values[n]! - shift;
    counts[language[n]!]! += 1;
    sums[language[n]!]! += x;
    square += x * x;
  }
  selectivityOf(counts, sums, square, out);
  return out;
}

export const selectivityScore: PromptScore = {
  ...OF_PROMPTS,
  name: 'selectivity',
  title: 'Selectivity',
  source: 'Hedges, 1981',
  asked: 'selectivity',
  per: 'language',
  part: 'selectivity',
  about: '(mean of this language − mean of the rest) / pooled within-language SD, Hedges-corrected',
  range: 'unbounded',
  how: PERCENTILE,
  tests: [
    { name: 'selectivity', sides: 'one-sided', part: 'selectivity', of: (p) => p.selectivity },
    {
      name: 'selectivity_best',
      sides: 'one-sided; the highest selectivity against the highest under permutation',
      part: 'selectivity',
      of: (p) => p.selectivityBest,
    },
  ],
  best: {
    about: 'highest selectivity over languages',
    second: 'second highest selectivity: the runner-up',
  },
  evaluate: (values) => values.selectivity,
  interval: (uncertainty) => uncertainty.selectivity,
  span: () => Infinity,
  coverage: 'selectivity',
};
