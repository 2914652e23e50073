import { expect, test } from 'vitest';
import { estimateOf, uncertaintyOf } from '../../src/compare/estimates.js';
import { type Quantity, quantity, signed } from '../../src/compare/quantities/quantity.js';
import { testSeeds } from '../../src/compare/seeds.js';
import { testContrast } from '../../src/compare/verdict.js';

const OF_ITEMS = { se: 2, df: 13 };
const TESTED = { isFixed: false, note: null };

test('training seeds of two regimes have Welch’s t, and an interval with the error of other items too', () => {
  const { p, finding, seeds, training, both } = testSeeds([51, 49, 54], [27, 31, 26], OF_ITEMS, TESTED);
  expect([finding, seeds]).toEqual(['changed', [3, 3]]);
  // scipy.stats.ttest_ind(equal_var=False)
  expect(p).toBeCloseTo(0.0003841081700711819, 10);
  expect(training.low).toBeCloseTo(-29.19236909634715, 8);
  expect(training.high).toBeCloseTo(-17.47429757031952, 8);
  expect(both.low).toBeCloseTo(-30.613242055259885, 8);
  expect(both.high).toBeCloseTo(-16.053424611406786, 8);
});

test('a reference of one seed is taken as fixed, and that is said; any other regime of one seed is not measured', () => {
  const fixed = testSeeds([51], [27, 31, 26], OF_ITEMS, { isFixed: true, note: null });
  // scipy.stats.ttest_1samp
  expect(fixed.p).toBeCloseTo(0.00438186771525392, 10);
  expect(fixed.training.low).toBeCloseTo(-29.57241060772843, 8);
  expect(fixed.note).toBe('the reference is taken as fixed');
  for (const [first, second, isFixed] of [
    [[51], [27, 31], false],
    [[51, 50], [27], true],
    [[51], [27], true],
  ] as const) {
    expect(testSeeds(first, second, OF_ITEMS, { isFixed, note: null })).toMatchObject({
      p: null,
      finding: 'not measured',
      note: 'one training seed a regime',
    });
  }
  expect(testSeeds([1, 1], [2, 2], OF_ITEMS, TESTED).finding).toBe('not measured');
  expect(testSeeds([1, Number.NaN], [2, 3], OF_ITEMS, TESTED).finding).toBe('not measured');
  expect(testSeeds([1, 2], [2, 3], OF_ITEMS, { isFixed: false, note: 'no unit' }).note).toBe('no unit');
});

const MEAN: Quantity = quantity({
  measure: 'mean_lape',
  type: 'neuron',
  group: null,
  ...signed(() => 0),
  valueRange: [0, 1],
  changeRange: [-1, 1],
  needs: 'no live unit',
  isSmooth: true,
});
const COUNT: Quantity = { ...MEAN, measure: 'selected', isSmooth: false };

test('the error of a mean is the jackknife’s, that of a count the spread of halves; intervals are clipped', () => {
  const folds = 12;
  const over = {
    value: 2,
    leaveOneOut: Array.from({ length: folds }, (_, n) => 2 + (n % 2 === 0 ? 0.1 : -0.1)),
    halves: { first: [1, 3, 1, 3], second: [3, 1, 3, 1] },
    folds,
  };
  const mean = uncertaintyOf(MEAN, over);
  expect(mean.se).toBeCloseTo(Math.sqrt((11 / 12) * 0.12), 12);
  expect(mean.df).toBe(11);
  const count = uncertaintyOf(COUNT, over);
  expect(count.se).toBeCloseTo(1, 12);
  expect(count.df).toBeCloseTo(1 / (1 / 11 + 1 / 4), 12);
  expect(estimateOf(2, { se: 0.8, df: 12 }, [0, 3])).toEqual({
    value: 2,
    low: expect.closeTo(2 - 1.7430502637337828, 8),
    high: 3,
  });
  expect(estimateOf(2, { se: 0, df: 12 }, [0, 3])).toEqual({ value: 2, low: null, high: null });
  expect(estimateOf(0, { se: 0, df: 12 }, [0, 3])).toEqual({ value: 0, low: 0, high: 0 });
  expect(estimateOf(Number.NaN, mean, [0, 3])).toEqual({ value: null, low: null, high: null });
  expect(estimateOf(2, { se: Number.NaN, df: 3 }, [0, 3])).toEqual({ value: 2, low: null, high: null });
});

test('a contrast is tested by t of its error; one that is the same in all halves has none', () => {
  const evidence = { value: 2, se: 0.8, df: 12, folds: 20 };
  // 2 · scipy.stats.t.sf(2.5, 12)
  for (const [of, by] of [
    [MEAN, 'jackknife'],
    [COUNT, 'half-samples'],
  ] as const) {
    expect(testContrast(of, evidence)).toMatchObject({
      by,
      p: expect.closeTo(0.02791539957132524, 10),
      finding: 'changed',
    });
  }
  expect(testContrast(COUNT, { ...evidence, se: 0 })).toMatchObject({
    finding: 'not measured',
    note: 'it is the same in all halves of the folds',
  });
  expect(testContrast(COUNT, { ...evidence, value: 0, se: 0 })).toMatchObject({ p: 1, finding: 'undecided' });
  expect(testContrast(MEAN, { ...evidence, folds: 9 }).finding).toBe('not measured');
});
