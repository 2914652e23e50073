import { jackknifeUnits, studentTQuantile, type UnitIntervals } from '../../stats/index.js';
import { type FoldScore, JACKKNIFE, RELIABILITY_UNITS } from '../definition.js';
import { rateSums } from './rate.js';

/**
 * Exclusivity of an expert, max_k f_k / Σ_k f_k over languages: the share that its foremost language has of its selection
 * frequencies (as a share of the commonest kind the index of Berger & Parker, Science 1970). 1/K: all languages alike; 1:
 * one language alone.
 *
 * @param frequencies [language, expert], not negative.
 * @returns [expert]; NaN for an expert that is never chosen, or with a NaN frequency.
 */
export function exclusivity(frequencies: Float64Array, languages: number): Float64Array {
  const units = frequencies.length / languages;
  const share = new Float64Array(units);
  for (let u = 0; u < units; u++) {
    let sum = 0;
    let most = 0;
    for (let k = 0; k < languages; k++) {
      const own = frequencies[k * units + u]!;
      sum += own;
      most = Math.max(most, own);
    }
    share[u] = sum > 0 ? most / sum : Number.NaN;
  }
  return share;
}

const ALPHA = 0.05;
/** At which a language is no contender: so low that few of those that are as high as the best are dropped. */
const DROPPED = 0.01;

/**
 * Exclusivity with its interval. The highest of several shares is too high where languages are alike, and which is the
 * highest may be chance. So the interval is that of a maximum over contenders: the highest and all that do not differ from
 * it at 1 %, by the jackknife of the difference (moment selection: Andrews & Soares, Econometrica, 2010). Its lower end is
 * the highest of their lower ends, each at 5 % / contenders (Bonferroni; 2.5 % of one alone), its upper end the highest of
 * their upper ends at 2.5 %; clipped to 1/K … 1.
 *
 * @param frequencies [language, expert], over all folds.
 * @param leftOut The same without each fold in turn.
 * @returns arrays [expert]; `se` is the delete-one-fold jackknife's.
 */
export function exclusivityInterval(
  frequencies: Float64Array,
  leftOut: readonly Float64Array[],
  languages: number,
): UnitIntervals {
  const value = exclusivity(frequencies, languages);
  const units = value.length;
  const { se, low, high } = jackknifeUnits(
    value,
    leftOut.map((own) => exclusivity(own, languages)),
  );
  const shares = sharesOf(frequencies, units);
  const sharesLeftOut = leftOut.map((own) => sharesOf(own, units));
  const best = Uint32Array.from(value, (_, u) => {
    let most = 0;
    for (let k = 1; k < languages; k++) if (shares[k * units + u]! > shares[most * units + u]!) most = k;
    return most;
  });
  /** [language, expert]: share of the best less this language's. */
  const behind = (own: Float64Array) =>
    own.map((share, at) => own[best[at % units]! * units + (at % units)]! - share);
  const ofShares = jackknifeUnits(shares, sharesLeftOut).se;
  const gaps = jackknifeUnits(behind(shares), sharesLeftOut.map(behind), { confidence: 1 - DROPPED });
  const quantile = (tail: number) => studentTQuantile(1 - tail, leftOut.length - 1);
  const upper = quantile(ALPHA / 2);
  const lower = Array.from({ length: languages + 1 }, (_, n) => quantile(ALPHA / Math.max(2, n)));
  for (let u = 0; u < units; u++) {
    if (Number.isNaN(se[u]!)) continue;
    const contenders = Array.from({ length: languages }, (_, k) => k * units + u).filter(
      (at) => gaps.low[at]! <= 0,
    );
    const t = lower[contenders.length]!;
    low[u] = Math.max(1 / languages, ...contenders.map((at) => shares[at]! - t * ofShares[at]!));
    high[u] = Math.min(1, Math.max(...contenders.map((at) => shares[at]! + upper * ofShares[at]!)));
  }
  return { value, se, low, high };
}

/** [language, expert]: frequency over the sum of all languages'. */
function sharesOf(frequencies: Float64Array, units: number): Float64Array {
  const sums = new Float64Array(units);
  for (const [at, own] of frequencies.entries()) sums[at % units]! += own;
  return frequencies.map((own, at) => own / sums[at % units]!);
}

export const exclusivityScore: FoldScore = {
  name: 'exclusivity',
  title: 'Exclusivity',
  source: 'Berger & Parker, Science 1970',
  asked: 'exclusivity',
  types: ['expert'],
  per: 'unit',
  from: 'folds',
  about: 'experts: highest selection frequency over languages / their sum, 1/K … 1',
  range: '1/K … 1',
  how: `${JACKKNIFE}; the interval is that of a maximum`,
  sums: rateSums,
  evaluate: exclusivity,
  bounds: () => ({ min: 0, max: 1 }),
  interval: exclusivityInterval,
  reliability: RELIABILITY_UNITS,
  change: 'full',
  span: () => 1,
  coverage: 'exclusivity',
};
