import { describe, expect, test } from 'vitest';
import { sumOfVariances, twoSamplePermutation, welchTest } from '../../src/stats/index.js';
import { Draws } from '../../src/stats/sampling/random.js';
import { inference } from './inference-fixture.js';

describe('Welch', () => {
  test.each(inference.welch)("t test and interval are SciPy's", ({ first, second, df, p, low, high }) => {
    const own = welchTest(first, second);
    expect(own.df).toBeCloseTo(df, 10);
    expect(own.p).toBeCloseTo(p, 10);
    expect(own.low).toBeCloseTo(low, 8);
    expect(own.high).toBeCloseTo(high, 8);
  });

  test("against a value that is known it is SciPy's t test of one sample", () => {
    const { first, second, p, df } = inference.fixedFirst;
    const own = welchTest(first, second);
    expect(own.p).toBeCloseTo(p, 10);
    expect(own.df).toBeCloseTo(df, 12);
  });

  test('one value has no error, and neither have values that are all alike', () => {
    for (const own of [welchTest([1], [2, 3]), welchTest([1, 1], [2, 2]), welchTest(1, 2)]) {
      expect(own.value).not.toBeNaN();
      expect([own.se, own.df, own.low, own.high, own.p]).toEqual(Array(5).fill(Number.NaN));
    }
  });

  test('Satterthwaite: two equal variances of as many degrees have twice the degrees', () => {
    const one = { variance: 2, df: 7 };
    expect(sumOfVariances([one, one])).toEqual({ variance: 4, df: 14 });
    expect(sumOfVariances([one, { variance: 0, df: 1 }])).toEqual(one);
  });

  // A run's mean over items differs by seed, and both runs by the items they were measured on.
  test('seeds and items together hold the truth in 93 to 97 % of draws, seeds alone do not', () => {
    const [repetitions, seeds, folds, ofSeed, ofItems] = [4000, 4, 20, 1, 1.2];
    const draws = new Draws(5);
    let [both, alone] = [0, 0];
    for (let n = 0; n < repetitions; n++) {
      // Folds of the paired difference: their mean is what items add to it.
      const ofFolds = Array.from({ length: folds }, () => ofItems * Math.sqrt(folds) * draws.gaussian());
      const items = ofFolds.reduce((sum, one) => sum + one, 0) / folds;
      const variance = ofFolds.reduce((sum, one) => sum + (one - items) ** 2, 0) / (folds - 1) / folds;
      const side = (shift: number) => Array.from({ length: seeds }, () => shift + ofSeed * draws.gaussian());
      const [first, second] = [side(0), side(items)];
      const holds = ({ low, high }: { low: number; high: number }) => Number(low <= 0 && 0 <= high);
      both += holds(welchTest(first, second, { more: [{ variance, df: folds - 1 }] }));
      alone += holds(welchTest(first, second));
    }
    expect(both / repetitions).toBeGreaterThan(0.93);
    expect(both / repetitions).toBeLessThan(0.97);
    expect(alone / repetitions).toBeLessThan(0.85);
  });
});

describe('permutation of seeds', () => {
  test.each(inference.welch.filter(({ allWays }) => allWays !== undefined))(
    'p is the share of all ways to deal the values, as SciPy has it where sides are of one size',
    ({ first, second, permutation, allWays }) => {
      const own = twoSamplePermutation(first, second);
      expect(own.p).toBeCloseTo(allWays!, 12);
      if (permutation != null) expect(own.p).toBeCloseTo(permutation, 12);
      expect(own.leastP).toBeLessThanOrEqual(own.p);
    },
  );

  test('three a side have no p below 0.1; five have', () => {
    expect(twoSamplePermutation([1, 2, 3], [11, 12, 13])).toEqual({ p: 0.1, leastP: 0.1 });
    expect(twoSamplePermutation([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]).p).toBeCloseTo(2 / 252, 12);
  });

  test('too many to count out, a NaN or an empty side has none', () => {
    const many = Array.from({ length: 15 }, (_, n) => n);
    expect(twoSamplePermutation(many, many).p).toBeNaN();
    expect(twoSamplePermutation([1, Number.NaN], [2, 3]).p).toBeNaN();
    expect(twoSamplePermutation([], [2, 3]).p).toBeNaN();
  });
});
