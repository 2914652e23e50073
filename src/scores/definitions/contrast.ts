import { type FoldScore, MEANS_OF_LANGUAGES } from '../definition.js';
import { meanSums } from './mean.js';

/**
 * Contrast: the value of language k minus the mean of the other languages' values, x_k − Σ_{j≠k} x_j / (K − 1) (a
 * contrast in the sense of Scheffé, 1953: the weights sum to 0). Raw head importance is mostly shared by all languages;
 * what is left here is not.
 *
 * @param means [language, unit].
 * @returns [language, unit], in the unit of `means`; NaN where any language's value is NaN, or with one language.
 */
export function contrast(means: Float64Array, languages: number): Float64Array {
  const units = means.length / languages;
  const difference = new Float64Array(means.length);
  for (let u = 0; u < units; u++) {
    let sum = 0;
    for (let k = 0; k < languages; k++) sum += means[k * units + u]!;
    for (let k = 0; k < languages; k++) {
      const own = means[k * units + u]!;
      difference[k * units + u] = languages > 1 ? own - (sum - own) / (languages - 1) : Number.NaN;
    }
  }
  return difference;
}

export const contrastScore: FoldScore = {
  ...MEANS_OF_LANGUAGES,
  name: 'contrast',
  title: 'Contrast',
  source: 'Scheffé, 1953',
  asked: null,
  about: "mean minus the average of the other languages' means",
  range: 'unbounded',
  sums: meanSums,
  evaluate: contrast,
  bounds: () => ({}),
  span: () => Infinity,
  coverage: 'contrast',
};
