export { bootstrapInterval, wilsonInterval } from './intervals/bootstrap.js';
export { type ClusterSums, clusterMean, clusterSums } from './intervals/cluster.js';
export { distanceInterval, jackknifeDistances } from './intervals/distance.js';
export { type HalfSampleError, halfSampleError, halfSampleInterval } from './intervals/half-samples.js';
export {
  halfSampleVariance,
  type Interval,
  type JackknifeBounds,
  jackknife,
  jackknifeUnits,
  studentInterval,
  type UnitIntervals,
} from './intervals/jackknife.js';
export { wildClusterInterval, wildClusterPValue, wildWeights } from './intervals/wild-cluster.js';
export { Draws, Random } from './sampling/random.js';
export { type FoldHalves, itemDraws, itemPermutations, randomHalves } from './sampling/resampling.js';
export { crossFitted } from './selection/cross-fit.js';
export { softCount } from './selection/soft-count.js';
export { Argsort } from './sorting/argsort.js';
export { HALF_SORT_MOST, HalfSort } from './sorting/half-sort.js';
export { meanOfPresent, quantile, UpperQuantile } from './sorting/quantile.js';
export { benjaminiHochberg, qOfCounts, qOfSorted } from './tests/benjamini-hochberg.js';
export { studentTQuantile, studentTUpperTail } from './tests/distributions.js';
export { type Equivalence, equivalence, FINDINGS, type Finding, findingOf } from './tests/equivalence.js';
export {
  type Alternative,
  type Complement,
  drawsOfLevel,
  ExchangedSums,
  type ExchangeMasks,
  type ExchangeTest,
  exchangeMasks,
  exchangePValue,
  exchangeTest,
} from './tests/exchange.js';
export { holm } from './tests/holm.js';
export { mannKendall } from './tests/mann-kendall.js';
export { minimumEffectPValues } from './tests/minimum-effect.js';
export { noncentralFUpperTail, powerOfT } from './tests/noncentral-f.js';
export { minimumDetectable, sampleSize } from './tests/sample-size.js';
export { spearman, spearmanBrown } from './tests/spearman.js';
export { twoSamplePermutation } from './tests/two-sample-permutation.js';
export { studentTest, sumOfVariances, type Tested, type VarianceEstimate, welchTest } from './tests/welch.js';
