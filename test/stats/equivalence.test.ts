import { describe, expect, test } from 'vitest';
import { equivalence, findingOf, minimumDetectable, powerOfT, sampleSize } from '../../src/stats/index.js';
import { Draws } from '../../src/stats/sampling/random.js';
import { studentTest } from '../../src/stats/tests/welch.js';
import { inference } from './inference-fixture.js';

describe('equivalence', () => {
  test.each(inference.equivalence)("within ±$margin: p is that of statsmodels' ttost_ind", (of) => {
    expect(equivalence(of, of.margin).p).toBeCloseTo(of.p, 10);
  });

  test('the least margin is the one whose p is the level', () => {
    for (const of of inference.equivalence) {
      expect(equivalence(of, equivalence(of, 1).leastMargin).p).toBeCloseTo(0.05, 9);
    }
  });

  test('without an error or a margin there is no answer; without spread it is plain', () => {
    expect(equivalence({ value: 0, se: Number.NaN, df: 9 }, 1).p).toBeNaN();
    expect(equivalence({ value: 0, se: 1, df: 9 }, 0).p).toBeNaN();
    expect(equivalence({ value: 0.5, se: 0, df: 9 }, 1)).toEqual({ p: 0, leastMargin: 0.5 });
    expect(equivalence({ value: 1, se: 0, df: 9 }, 1).p).toBe(1);
  });

  test('a finding: the margin says which changes do not matter, and neither shown is undecided', () => {
    expect(findingOf(0.001, Number.NaN)).toBe('changed');
    expect(findingOf(0.001, 0.6)).toBe('changed');
    expect(findingOf(0.001, 0.01)).toBe('unchanged');
    expect(findingOf(0.3, 0.01)).toBe('unchanged');
    expect(findingOf(0.3, 0.4)).toBe('undecided');
    expect(findingOf(Number.NaN, 0.01)).toBe('not measured');
  });

  test('a truth on the margin is called unchanged in 5 % of draws, one at 0 changed in 5 %', () => {
    const [repetitions, folds] = [4000, 20];
    const draws = new Draws(3);
    const estimate = (truth: number) => {
      const values = Array.from({ length: folds }, () => truth + draws.gaussian());
      const mean = values.reduce((sum, one) => sum + one, 0) / folds;
      const variance = values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (folds - 1) / folds;
      return studentTest(mean, Math.sqrt(variance), folds - 1);
    };
    let [unchanged, changed] = [0, 0];
    for (let n = 0; n < repetitions; n++) {
      if (equivalence(estimate(1), 1).p <= 0.05) unchanged++;
      if (estimate(0).p <= 0.05) changed++;
    }
    for (const count of [unchanged, changed]) {
      expect(count / repetitions).toBeGreaterThan(0.04);
      expect(count / repetitions).toBeLessThan(0.06);
    }
  });
});

describe('power and size', () => {
  test.each(inference.power)("power at $shift standard errors, $df degrees: SciPy's nct", (of) => {
    expect(powerOfT(of.shift, of.df, 0.05)).toBeCloseTo(of.power, 9);
  });

  test('the minimum detectable change has the power that was asked for', () => {
    const change = minimumDetectable(0.3, 19, { power: 0.9 });
    expect(powerOfT(change / 0.3, 19, 0.05)).toBeCloseTo(0.9, 10);
    expect(minimumDetectable(Number.NaN, 19)).toBeNaN();
  });

  test.each(inference.sampleSize)(
    "an effect of $effect at power $power takes the n of statsmodels' TTestPower",
    ({ effect, power, n }) => {
      // In a pilot of four, a standard deviation of 1 is an error of a half.
      expect(sampleSize({ se: 0.5, pilot: 4, detect: effect, power })).toBe(Math.ceil(n));
    },
  );

  test('fewer groups to judge the error by take more items', () => {
    const plan = { se: 0.5, pilot: 4, detect: 0.2 };
    expect(sampleSize({ ...plan, groups: 20 })).toBeGreaterThan(sampleSize(plan));
    expect(sampleSize({ ...plan, se: 0 })).toBe(2);
    expect(sampleSize({ ...plan, se: Number.NaN })).toBeNaN();
  });
});
