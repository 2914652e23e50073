export { Argsort } from './argsort.js';
export { benjaminiHochberg, qOfCounts, qOfSorted } from './benjamini-hochberg.js';
export { bootstrapInterval } from './bootstrap-interval.js';
export { distanceInterval, jackknifeDistances } from './distance-interval.js';
export { Draws } from './draws.js';
export { halfSampleVariance, studentInterval } from './half-samples.js';
export { HALF_SORT_MOST, HalfSort } from './half-sort.js';
export { itemDraws } from './item-draws.js';
export { itemPermutations } from './item-permutations.js';
export {
  type Interval,
  type JackknifeBounds,
  jackknife,
  jackknifeUnits,
  type UnitIntervals,
} from './jackknife.js';
export { mannKendall } from './mann-kendall.js';
export { meanOfPresent } from './mean.js';
export { quantile } from './quantile.js';
export { Random } from './random.js';
export { type FoldHalves, randomHalves } from './random-halves.js';
export { spearman } from './spearman.js';
export { spearmanBrown } from './spearman-brown.js';
export { studentTQuantile, studentTUpperTail } from './student-t.js';
export { UpperQuantile } from './upper-quantile.js';
export { wilsonInterval } from './wilson-interval.js';
