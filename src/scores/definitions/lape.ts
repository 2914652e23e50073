import { jackknifeDistances, type UnitIntervals } from '../../stats/index.js';
import { DISTANCE, type FoldScore, RELIABILITY_UNITS } from '../definition.js';
import { rateSums } from './rate.js';
/**
 * Language activation probability entropy (Tang et al., ACL 2024): q_k = p_k / Σ p, H = −Σ q_k ln q_k with
 * 0 ln 0 = 0, in nats, from 0 (one language) to ln K (all alike).
 *
 * For heads the same formula is taken over mean contribution norms instead of firing rates, for experts over selection
 * frequencies.
 *
 * @param rates [language, unit], not negative.
 * @returns [unit]; NaN for a unit that never fires, or with a rate that is NaN (a neuron of an expert that no token of some
 *   language reaches) or negative (imported importances may be).
 */
export function lape(rates: Float64Array, languages: number): Float64Array {
  const units = rates.length / languages;
  const entropy = new Float64Array(units);
  for (let u = 0; u < units; u++) {
    let sum = 0;
    let negative = false;
    for (let k = 0; k < languages; k++) {
      sum += rates[k * units + u]!;
      if (rates[k * units + u]! < 0) negative = true;
    }
    if (negative || !(sum > 0)) {
      entropy[u] = Number.NaN;
      continue;
    }
    let h = 0;
    for (let k = 0; k < languages; k++) {
      const q = rates[k * units + u]! / sum;
      if (q > 0) h -= q * Math.log(q);
    }
    // Rounding can leave −0 or a hair over ln K.
    entropy[u] = Math.min(Math.max(h, 0), Math.log(languages));
  }
  return entropy;
}

/**
 * LAPE with its interval: ln K − LAPE is a distance from languages that are all alike, which `jackknifeDistances` gives an
 * interval to; it reaches to the estimate, clipped to 0 … ln K. A unit that never fires once some fold is left out has no
 * interval.
 *
 * @param rates [language, unit], over all folds.
 * @param leftOut The same without each fold in turn.
 * @returns arrays [unit], nats; `se` is the delete-one-fold jackknife's.
 */
export function lapeInterval(
  rates: Float64Array,
  leftOut: readonly Float64Array[],
  languages: number,
): UnitIntervals {
  const most = Math.log(languages);
  const distance = (own: Float64Array) => lape(own, languages).map((h) => most - h);
  const value = lape(rates, languages);
  const { se, low, high } = jackknifeDistances(
    value.map((h) => most - h),
    leftOut.map(distance),
  );
  return {
    value,
    se,
    low: high.map((furthest, u) => Math.max(0, Math.min(most - furthest, value[u]!))),
    high: low.map((nearest, u) => Math.max(most - nearest, value[u]!)),
  };
}

export const lapeScore: FoldScore = {
  name: 'lape',
  title: 'LAPE',
  source: 'Tang et al., ACL 2024',
  asked: 'lape',
  types: ['neuron', 'head', 'expert'],
  per: 'unit',
  from: 'folds',
  about:
    'entropy over languages of the rate, nats, 0 … ln K (Tang et al. 2024); not for residual dimensions, which have no rate, nor for neurons of experts that a language never reaches',
  range: '0 … ln K',
  how: DISTANCE,
  sums: rateSums,
  evaluate: lape,
  bounds: () => ({ min: 0 }),
  interval: lapeInterval,
  reliability: RELIABILITY_UNITS,
  change: 'basic',
  span: (languages) => Math.log(languages),
  coverage: 'lape',
};
