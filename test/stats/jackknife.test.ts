import { expect, test } from 'vitest';
import { jackknife, jackknifeUnits } from '../../src/stats/intervals/jackknife.js';
import { studentTQuantile } from '../../src/stats/tests/distributions.js';

test('the jackknife error of a mean is its standard error, s / √n', () => {
  const x = [2, 4, 4, 5, 9, 12];
  const sum = x.reduce((a, b) => a + b, 0);
  const mean = sum / x.length;
  const replicates = x.map((value) => (sum - value) / (x.length - 1));
  const s2 = x.reduce((a, b) => a + (b - mean) ** 2, 0) / (x.length - 1);
  const { se, low, high } = jackknife(mean, replicates);
  expect(se).toBeCloseTo(Math.sqrt(s2 / x.length), 12);
  expect(high - mean).toBeCloseTo(studentTQuantile(0.975, 5) * se, 12);
  expect(mean - low).toBeCloseTo(high - mean, 12);
});

test('interval ends are clipped to the range of the score', () => {
  const { low, high } = jackknife(0.5, [0, 1, 0, 1], { min: 0, max: 1 });
  expect([low, high]).toEqual([0, 1]);
});

test('one NaN replicate, a NaN estimate, or a single group: no error and no interval', () => {
  for (const [value, replicates] of [
    [1, [1, Number.NaN, 1]],
    [Number.NaN, [1, 2, 3]],
    [1, [1]],
    [1, []],
  ] as const) {
    const { se, low, high } = jackknife(value, replicates);
    expect([se, low, high]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  }
});

test('jackknifeUnits is jackknife of each unit', () => {
  const replicates = [Float64Array.of(1, 5), Float64Array.of(2, 7), Float64Array.of(4, 7)];
  const many = jackknifeUnits(Float64Array.of(2, 6), replicates);
  for (const u of [0, 1]) {
    const one = jackknife(
      [2, 6][u]!,
      replicates.map((values) => values[u]!),
    );
    expect([many.se[u], many.low[u], many.high[u]]).toEqual([one.se, one.low, one.high]);
  }
});
