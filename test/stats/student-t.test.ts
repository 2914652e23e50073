import { expect, test } from 'vitest';
import { regularizedIncompleteBeta, studentTQuantile } from '../../src/stats/tests/distributions.js';
import { statistics } from '../scores/reference-run.js';

test("studentTQuantile is SciPy's t.ppf", () => {
  for (const [p, df, expected] of statistics.t) {
    expect(Math.abs(studentTQuantile(p, df) / expected - 1)).toBeLessThan(1e-9);
    expect(studentTQuantile(1 - p, df)).toBeCloseTo(-studentTQuantile(p, df), 6);
  }
});

test('studentTQuantile is 0 at one half, and NaN outside 0 < p < 1 or without degrees of freedom', () => {
  expect(studentTQuantile(0.5, 7)).toBe(0);
  for (const [p, df] of [
    [0, 3],
    [1, 3],
    [Number.NaN, 3],
    [0.975, 0],
  ] as const) {
    expect(studentTQuantile(p, df)).toBeNaN();
  }
});

test("regularizedIncompleteBeta is SciPy's beta.cdf", () => {
  for (const [x, a, b, expected] of statistics.beta) {
    expect(Math.abs(regularizedIncompleteBeta(x, a, b) - expected)).toBeLessThan(1e-12);
  }
});
