import { expect, test } from 'vitest';
import { meanOfPresent } from '../../src/stats/mean.js';
import { quantile } from '../../src/stats/quantile.js';
import { statistics } from '../scores/reference-run.js';

test("quantile is numpy's default, linear between order statistics (type 7)", () => {
  for (const [p, expected] of statistics.quantiles) {
    expect(quantile(statistics.x, p)).toBeCloseTo(expected, 12);
  }
});

test('quantile leaves out NaN, leaves its argument as it was, and is NaN of nothing', () => {
  const values = [3, Number.NaN, 1, 2];
  expect(quantile(values, 0.5)).toBe(2);
  expect(values).toEqual([3, Number.NaN, 1, 2]);
  expect(quantile([], 0.5)).toBeNaN();
  expect(quantile([Number.NaN], 0.5)).toBeNaN();
});

test('meanOfPresent leaves out NaN and is NaN of nothing', () => {
  expect(meanOfPresent([1, Number.NaN, 3])).toBe(2);
  expect(meanOfPresent([Number.NaN])).toBeNaN();
});
