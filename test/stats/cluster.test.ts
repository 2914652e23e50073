import { describe, expect, test } from 'vitest';
import {
  clusterMean,
  clusterSums,
  wildClusterInterval,
  wildClusterPValue,
  wildWeights,
} from '../../src/stats/index.js';
import { studentTQuantile } from '../../src/stats/tests/distributions.js';
import { inference } from './inference-fixture.js';

describe('mean over clusters', () => {
  test.each(inference.clusters)('CR2 and its degrees of freedom are those of the matrices', (of) => {
    const own = clusterMean(clusterSums(of.values, of.cluster));
    expect(own.value).toBeCloseTo(of.mean, 12);
    expect(own.se).toBeCloseTo(of.se, 10);
    expect(own.df).toBeCloseTo(of.df, 9);
  });

  test('with clusters of one size it is the t interval of their means', () => {
    const { values, cluster } = inference.clusters[0]!;
    const means = Array.from({ length: 5 }, (_, g) => {
      const own = values.filter((_, i) => cluster[i] === g);
      return own.reduce((sum, one) => sum + one, 0) / own.length;
    });
    const mean = means.reduce((sum, one) => sum + one, 0) / 5;
    const se = Math.sqrt(means.reduce((sum, one) => sum + (one - mean) ** 2, 0) / 4 / 5);
    const own = clusterMean(clusterSums(values, cluster));
    expect(own.df).toBeCloseTo(4, 10);
    expect(own.low).toBeCloseTo(mean - studentTQuantile(0.975, 4) * se, 10);
  });

  test('one cluster has a mean and no error; NaN values are left out', () => {
    const own = clusterMean(clusterSums([1, 3, Number.NaN], [0, 0, 1]));
    expect([own.value, own.se, own.p]).toEqual([2, Number.NaN, Number.NaN]);
  });
});

describe('wild cluster bootstrap', () => {
  test.each(inference.clusters)('p of all patterns of signs is the one counted out', (of) => {
    const sums = clusterSums(of.values, of.cluster);
    const weights = wildWeights(sums.sizes.length, { seed: 1, weights: 'rademacher' });
    expect(weights.exact).toBe(true);
    expect(wildClusterPValue(sums, 0, weights)).toBeCloseTo(of.wild, 12);
  });

  test('the interval holds what is not rejected, and nothing else', () => {
    const { values, cluster } = inference.clusters[2]!;
    const sums = clusterSums(values, cluster);
    const options = { seed: 4, draws: 399 };
    const { low, high } = wildClusterInterval(sums, options);
    const weights = wildWeights(sums.sizes.length, options);
    const width = high - low;
    for (const end of [low, high]) {
      const inward = end === low ? 1 : -1;
      expect(wildClusterPValue(sums, end + inward * 0.01 * width, weights)).toBeGreaterThan(0.05);
      expect(wildClusterPValue(sums, end - inward * 0.01 * width, weights)).toBeLessThanOrEqual(0.05);
    }
  });

  test('signs of four clusters can reject nothing at 5 %: the interval is endless', () => {
    const sums = clusterSums([1, 2, 3, 5], [0, 1, 2, 3]);
    const { low, high } = wildClusterInterval(sums, { seed: 1, weights: 'rademacher' });
    expect([low, high]).toEqual([Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  test('Webb’s points have mean 0 and variance 1', () => {
    const { draws } = wildWeights(5, { seed: 2, draws: 20_000 });
    const all = draws.flatMap((draw) => [...draw]);
    const mean = all.reduce((sum, one) => sum + one, 0) / all.length;
    expect(new Set(all).size).toBe(6);
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(all.length));
    expect(all.reduce((sum, one) => sum + one * one, 0) / all.length).toBeCloseTo(1, 1.5);
  });
});
