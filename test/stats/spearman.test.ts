import fc from 'fast-check';
import { sampleRankCorrelation } from 'simple-statistics';
import { expect, test } from 'vitest';
import { midranks, spearman, spearmanBrown } from '../../src/stats/tests/spearman.js';
import { statistics } from '../scores/reference-run.js';

test("spearman is SciPy's spearmanr, ties included", () => {
  expect(spearman(statistics.x, statistics.tied)).toBeCloseTo(statistics.spearman, 12);
});

test("midranks are SciPy's rankdata: ties share the mean of the ranks they span", () => {
  expect([...midranks(Float64Array.from(statistics.tied))]).toEqual(statistics.midranks);
});

test('spearman agrees with simple-statistics on any data with ties', () => {
  const value = fc.oneof(
    fc.integer({ min: -3, max: 3 }),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
  );
  const pairs = fc.array(fc.tuple(value, value), { minLength: 3, maxLength: 40 });
  fc.assert(
    fc.property(pairs, (both) => {
      const x = both.map(([a]) => a);
      const y = both.map(([, b]) => b);
      const expected = sampleRankCorrelation(x, y);
      const found = spearman(x, y);
      if (Number.isNaN(expected)) expect(found).toBeNaN();
      else expect(found).toBeCloseTo(expected, 9);
    }),
  );
});

test('spearman leaves out pairs with NaN, and is NaN for fewer than three pairs or a constant side', () => {
  expect(spearman([1, 2, Number.NaN, 3, 9], [1, 2, 5, 4, Number.NaN])).toBe(1);
  expect(spearman([1, 2], [1, 2])).toBeNaN();
  expect(spearman([1, 1, 1, 1], [1, 2, 3, 4])).toBeNaN();
});

test('spearmanBrown steps the correlation of halves up to the whole: 2r / (1 + r)', () => {
  expect(spearmanBrown(0.5)).toBeCloseTo(2 / 3, 15);
  expect(spearmanBrown(1)).toBe(1);
  expect(spearmanBrown(0)).toBe(0);
  expect(spearmanBrown(-1)).toBeNaN();
  expect(spearmanBrown(Number.NaN)).toBeNaN();
});
