export { bootstrapInterval, wilsonInterval } from './intervals/bootstrap.js';
export { distanceInterval, jackknifeDistances } from './intervals/distance.js';
export {
  halfSampleVariance,
  type Interval,
  type JackknifeBounds,
  jackknife,
  jackknifeUnits,
  studentInterval,
  type UnitIntervals,
} from './intervals/jackknife.js';
export { Draws, Random } from './sampling/random.js';
export { type FoldHalves, itemDraws, itemPermutations, randomHalves } from './sampling/resampling.js';
export { Argsort } from './sorting/argsort.js';
export { HALF_SORT_MOST, HalfSort } from './sorting/half-sort.js';
export { meanOfPresent, quantile, UpperQuantile } from './sorting/quantile.js';
export { benjaminiHochberg, qOfCounts, qOfSorted } from './tests/benjamini-hochberg.js';
export { studentTQuantile, studentTUpperTail } from './tests/distributions.js';
export { mannKendall } from './tests/mann-kendall.js';
export { spearman, spearmanBrown } from './tests/spearman.js';
