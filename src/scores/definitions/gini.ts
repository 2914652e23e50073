import { type FoldScore, JACKKNIFE, RELIABILITY_UNITS } from '../definition.js';
import { rateSums } from './rate.js';

/**
 * Gini coefficient of a unit's rates over K languages, Σ_i Σ_j |r_i − r_j| / (2 K² mean) (Gini, 1912). 0: all languages
 * alike; 1 − 1/K: one language alone.
 *
 * @param rates [language, unit], not negative.
 * @returns [unit]; NaN for a unit that never fires, or with a rate that is NaN or negative.
 */
export function gini(rates: Float64Array, languages: number): Float64Array {
  const units = rates.length / languages;
  const coefficients = new Float64Array(units);
  for (let u = 0; u < units; u++) {
    let sum = 0;
    let differences = 0;
    let least = 0;
    for (let i = 0; i < languages; i++) {
      const own = rates[i * units + u]!;
      sum += own;
      least = Math.min(least, own);
      for (let j = 0; j < i; j++) differences += 2 * Math.abs(own - rates[j * units + u]!);
    }
    coefficients[u] = sum > 0 && least === 0 ? differences / (2 * languages * sum) : Number.NaN;
  }
  return coefficients;
}

export const giniScore: FoldScore = {
  name: 'gini',
  title: 'Gini of rates',
  source: 'Gini, 1912',
  asked: 'gini',
  types: ['neuron', 'head', 'expert'],
  per: 'unit',
  from: 'folds',
  about: 'Gini coefficient of the rates over languages, 0 … 1 − 1/K (Gini 1912); null for a dead unit',
  range: '0 … 1 − 1/K',
  how: JACKKNIFE,
  sums: rateSums,
  evaluate: gini,
  bounds: () => ({ min: 0, max: 1 }),
  reliability: RELIABILITY_UNITS,
  change: 'full',
  span: () => 1,
  coverage: null,
};
