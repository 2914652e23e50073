import { jackknifeDistances, type UnitIntervals } from '../stats/index.js';
import { type FoldShape, liveFolds, meanOverTokens, type Numbers, type TokenCounts } from '../store/index.js';

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
 * interval to; it reaches to the estimate, clipped to 0 … ln K. Folds without a token are not counted. A unit that never
 * fires once some fold is left out has no interval.
 *
 * @param sums [fold, language, unit]: firing counts, sums of contribution norms, or tokens routed to an expert.
 * @param tokens What they are divided by.
 * @returns arrays [unit], nats; `se` is the delete-one-fold jackknife's.
 */
export function lapeInterval(sums: Numbers, tokens: TokenCounts, shape: FoldShape): UnitIntervals {
  const folds = liveFolds(tokens, shape);
  const most = Math.log(shape.languages);
  const of = (chosen: readonly number[]) =>
    lape(meanOverTokens(sums, tokens, shape, chosen), shape.languages);
  const distance = (entropy: Float64Array) => entropy.map((h) => most - h);
  const value = of(folds);
  const { se, low, high } = jackknifeDistances(
    distance(value),
    folds.map((left) => distance(of(folds.filter((fold) => fold !== left)))),
  );
  return {
    value,
    se,
    low: high.map((furthest, u) => Math.max(0, Math.min(most - furthest, value[u]!))),
    high: low.map((nearest, u) => Math.max(most - nearest, value[u]!)),
  };
}
