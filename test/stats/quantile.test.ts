import fc from 'fast-check';
import { expect, test } from 'vitest';
import { meanOfPresent, quantile, UpperQuantile } from '../../src/stats/sorting/quantile.js';
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

test('UpperQuantile is the quantile of values that come in blocks, in any order, whatever bound on their number was given', () => {
  for (const [p, expected] of statistics.quantiles) {
    const upper = new UpperQuantile(p, statistics.x.length);
    upper.add(Float64Array.from(statistics.x));
    expect(upper.value()).toBeCloseTo(expected, 12);
  }
  // Few values, so that they tie.
  const value = fc.oneof(fc.integer({ min: 0, max: 20 }), fc.constant(Number.NaN));
  const blocks = fc.array(fc.array(value, { maxLength: 30 }), { maxLength: 8 });
  fc.assert(
    fc.property(blocks, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(50), (values, p, more) => {
      const upper = new UpperQuantile(p, values.flat().length + more);
      for (const block of values) upper.add(Float64Array.from(block));
      expect(upper.value()).toBe(quantile(values.flat(), p));
    }),
    { numRuns: 500 },
  );
});

test('meanOfPresent leaves out NaN and is NaN of nothing', () => {
  expect(meanOfPresent([1, Number.NaN, 3])).toBe(2);
  expect(meanOfPresent([Number.NaN])).toBeNaN();
});
