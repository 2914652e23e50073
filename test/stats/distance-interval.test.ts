import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { deviate, distanceInterval, jackknifeDistances } from '../../src/stats/intervals/distance.js';
import { jackknife } from '../../src/stats/intervals/jackknife.js';
import { studentTQuantile } from '../../src/stats/tests/distributions.js';

const exact: {
  readonly groups: number;
  /** [degrees of freedom, noncentrality, value, normal deviate] */
  readonly quantiles: readonly (readonly [number, number, number, number])[];
  /** [degrees of freedom, value, low, high] */
  readonly ends: readonly (readonly [number, number, number, number])[];
} = JSON.parse(readFileSync(new URL('../fixtures/stats/distances.json', import.meta.url), 'utf8'));

test('deviates are those of SciPy’s noncentral χ²', () => {
  for (const [freedom, theta, value, z] of exact.quantiles) {
    // A single deviation is often near 0, and its square not normal there after any power.
    if (freedom === 1 && z < -1) continue;
    const tolerance = freedom < 5 && z < -1.7 ? 0.2 : 0.06;
    expect(Math.abs(deviate(value, theta, freedom, 1) - z), `${freedom} ${theta} ${z}`).toBeLessThan(
      tolerance,
    );
  }
});

test('ends are those that follow from SciPy’s noncentral χ², and scale with the distance', () => {
  for (const [freedom, value, low, high] of exact.ends) {
    for (const scale of [1, 1e-6, 1e5]) {
      const se = 2 * scale * Math.sqrt(value);
      const found = distanceInterval(scale * value, scale * freedom, se, exact.groups);
      expect(Math.abs(found.low / scale - low), `low ${freedom} ${value}`).toBeLessThan(0.04);
      expect(Math.abs(found.high / scale - high), `high ${freedom} ${value}`).toBeLessThan(
        0.05 + 0.07 * high,
      );
    }
  }
});

test('far from its end a distance has the interval of a normal estimate with Student’s t', () => {
  const { low, high } = distanceInterval(100, 1e-4, 0.5, 20);
  const half = studentTQuantile(0.975, 19) * 0.5;
  expect([low, high]).toEqual([expect.closeTo(100 - half, 1), expect.closeTo(100 + half, 1)]);
});

test('an interval reaches 0 where its distance is no further than its bias, and rises with the distance', () => {
  const positive = fc.double({ min: 0.01, max: 100, noNaN: true });
  fc.assert(
    fc.property(
      positive,
      positive,
      positive,
      fc.integer({ min: 2, max: 30 }),
      (value, bias, slope, groups) => {
        const at = (own: number) => distanceInterval(own, bias, Math.sqrt(4 * slope * own), groups);
        const [here, further] = [at(value), at(1.5 * value)];
        expect(here.low).toBeLessThanOrEqual(here.high);
        expect(here.low).toBeGreaterThanOrEqual(0);
        if (value <= bias) expect(here.low).toBe(0);
        // Below the bias a slope is held to it, and jumps where that ends.
        if (value <= bias || slope > bias) return;
        expect(further.low).toBeGreaterThanOrEqual(here.low * (1 - 1e-9));
        expect(further.high).toBeGreaterThanOrEqual(here.high * (1 - 1e-9));
      },
    ),
  );
});

test('a jackknife’s bias of the square of a mean is its squared standard error', () => {
  const x = [0.3, -0.2, 0.9, 0.4, -0.1, 0.5];
  const mean = (own: readonly number[]) => own.reduce((a, b) => a + b, 0) / own.length;
  const left = x.map((_, g) => mean(x.filter((_, i) => i !== g)));
  const { se } = jackknife(mean(x), left);
  const found = jackknifeDistances(
    Float64Array.of(mean(x) ** 2),
    left.map((own) => Float64Array.of(own ** 2)),
  );
  expect(found.bias[0]).toBeCloseTo(se ** 2, 12);
  expect(found.low[0]).toBeLessThan(mean(x) ** 2);
  expect(found.high[0]).toBeGreaterThan(mean(x) ** 2);
});

test('a distance that no group moves is its own interval; without two groups, or with a NaN, there is none', () => {
  expect(distanceInterval(0.4, 0, 0, 20)).toEqual({ low: 0.4, high: 0.4 });
  expect(distanceInterval(0, 0, 0, 20)).toEqual({ low: 0, high: 0 });
  const none = { low: Number.NaN, high: Number.NaN };
  expect(distanceInterval(0.4, 0.1, 0.1, 1)).toEqual(none);
  expect(distanceInterval(Number.NaN, 0.1, 0.1, 20)).toEqual(none);
  expect(distanceInterval(0.4, 0.1, Number.NaN, 20)).toEqual(none);
  // None of the groups is there, and one is enough to see it.
  const [low] = jackknifeDistances(Float64Array.of(0.4), [Float64Array.of(0.3)]).low;
  expect(low).toBeNaN();
});
