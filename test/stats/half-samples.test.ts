import fc from 'fast-check';
import { expect, test } from 'vitest';
import { halfSampleVariance, jackknife, studentInterval } from '../../src/stats/intervals/jackknife.js';

test('over all halvings, the half-sample variance of a mean is that of the delete-one-group jackknife', () => {
  const value = fc.double({ min: -100, max: 100, noNaN: true });
  fc.assert(
    fc.property(fc.array(value, { minLength: 6, maxLength: 6 }), (groups) => {
      const mean = (chosen: readonly number[]) => chosen.reduce((a, b) => a + b, 0) / chosen.length;
      const halves = Array.from({ length: 64 }, (_, bits) =>
        [1, 0].map((side) => groups.filter((_, g) => ((bits >> g) & 1) === side)),
      ).filter(([first]) => first!.length === 3);
      const variance = halfSampleVariance(
        halves.map(([first]) => mean(first!)),
        halves.map(([, second]) => mean(second!)),
      );
      const { se, low, high } = jackknife(
        mean(groups),
        groups.map((_, left) => mean(groups.filter((_, g) => g !== left))),
      );
      const interval = studentInterval(mean(groups), variance, 6);
      expect(interval.se).toBeCloseTo(se, 9);
      expect([interval.low, interval.high]).toEqual([expect.closeTo(low, 8), expect.closeTo(high, 8)]);
    }),
  );
});

test('an interval is clipped to the range of its score', () => {
  expect(studentInterval(0.9, 0.04, 20, { min: 0, max: 1 }).high).toBe(1);
});

test('without halvings, with an estimate that is NaN, or with a single group there is no interval', () => {
  expect(halfSampleVariance([], [])).toBeNaN();
  expect(halfSampleVariance([1, Number.NaN], [1, 2])).toBeNaN();
  for (const { se, low, high } of [
    studentInterval(1, Number.NaN, 20),
    studentInterval(Number.NaN, 1, 20),
    studentInterval(1, 1, 1),
  ]) {
    expect([se, low, high]).toEqual([Number.NaN, Number.NaN, Number.NaN]);
  }
});
