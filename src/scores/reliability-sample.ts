import { Random } from '../stats/index.js';
import { HALF_SCORES, type HalfScoreName } from './scored-piece.js';

/** Units of a type on which the reliability of scores of a unit that add up over folds is estimated, at most. */
export const RELIABILITY_UNITS = 16_384;
/**
 * The same for scores that every language has one of, and for those whose halves must be walked through prompt by prompt: some 5 ms a unit at 8,000 prompts and 50
 * splits. At 512 units the standard error of a rank correlation of 0.8 is below 0.02.
 */
export const RELIABILITY_UNITS_ITEMS = 512;

const OF_FOLD_SUMS: ReadonlySet<string | null> = new Set(['lape', 'exclusivity', 'twoWay', 'vectorShare']);

/** Ascending indices, among all units of a type, of those on which a score's reliability is estimated. */
export function reliabilitySample(name: HalfScoreName, units: number, seed: number): Uint32Array {
  const most = OF_FOLD_SUMS.has(HALF_SCORES[name]) ? RELIABILITY_UNITS : RELIABILITY_UNITS_ITEMS;
  return new Random(seed).sample(units, most);
}
