import { expect, test } from 'vitest';
import { holm } from '../../src/stats/index.js';
import { inference } from './inference-fixture.js';

test.each(inference.holm)("adjusted p-values are statsmodels' multipletests of Holm, ties and all", (of) => {
  const own = holm(of.p);
  expect(own.length).toBe(of.adjusted.length);
  for (const [i, expected] of of.adjusted.entries()) expect(own[i]).toBeCloseTo(expected, 14);
});

test('what cannot be tested stays NaN and counts for nothing', () => {
  expect([...holm([0.01, Number.NaN, 0.04])]).toEqual([0.02, Number.NaN, 0.04]);
  expect(holm([])).toEqual(new Float64Array(0));
});
