import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { normalUpperTail } from '../../src/stats/tests/distributions.js';
import { mannKendall } from '../../src/stats/tests/mann-kendall.js';

/** Written by test/reference/make_trends.py (SciPy's kendalltau and norm, pymannkendall). */
const { series, normal } = JSON.parse(
  readFileSync(fileURLToPath(new URL('../fixtures/stats/trends.json', import.meta.url)), 'utf8'),
) as {
  readonly series: readonly {
    readonly values: readonly number[];
    readonly s: number;
    readonly tau: number;
    readonly exactP: number | null;
    readonly normalP: number;
  }[];
  readonly normal: readonly (readonly [number, number])[];
};

test('S counts rises less falls; τ_b and the exact p without ties are SciPy’s', () => {
  const untied = series.filter(({ exactP }) => exactP !== null);
  expect(untied.length).toBeGreaterThan(5);
  for (const { values, s, tau, exactP } of untied) {
    const found = mannKendall(values);
    expect(found.s).toBe(s);
    expect(found.tau).toBeCloseTo(tau, 12);
    expect(found.p).toBeCloseTo(exactP!, 12);
  }
});

test('with ties, p is normal with the tie-corrected variance and a continuity correction (pymannkendall)', () => {
  const tied = series.filter(({ exactP }) => exactP === null);
  expect(tied.length).toBeGreaterThan(3);
  for (const { values, s, tau, normalP } of tied) {
    const found = mannKendall(values);
    expect(found.s).toBe(s);
    expect(found.tau).toBeCloseTo(tau, 12);
    expect(found.p).toBeCloseTo(normalP, 10);
  }
});

test('too few values, a missing one, or all equal: nothing to test', () => {
  for (const values of [[], [1, 2], [1, Number.NaN, 3], [2, 2, 2]]) {
    expect(mannKendall(values).p).toBeNaN();
    expect(mannKendall(values).s).toBeNaN();
  }
  // Of four values no order has a p below 0.05: 2 of 24.
  expect(mannKendall([1, 2, 3, 4]).p).toBeCloseTo(2 / 24, 12);
  expect(mannKendall([3, 1, 2, 4]).leastP).toBeCloseTo(2 / 24, 12);
});

test('the upper tail of a standard normal is SciPy’s', () => {
  for (const [z, p] of normal) expect(normalUpperTail(z) / p).toBeCloseTo(1, 11);
});
