import { describe, expect, test } from 'vitest';
import { halfSampleError, halfSampleInterval, jackknife } from '../../src/stats/index.js';
import { Random } from '../../src/stats/sampling/random.js';

const T = 3.009769001446114;
const FOLDS = [1, 4, 2.5, 7, -1, 3];

/** All ways to halve six folds. */
const SPLITS = [0, 1, 2, 3, 4, 5]
  .flatMap((b) => [0, 1, 2, 3, 4, 5].map((c) => [0, b, c]))
  .filter(([a, b, c]) => a! < b! && b! < c!);
const meanOf = (chosen: readonly number[]) =>
  chosen.reduce((sum, fold) => sum + FOLDS[fold]!, 0) / chosen.length;
const first = SPLITS.map(meanOf);
const second = SPLITS.map((half) => meanOf([0, 1, 2, 3, 4, 5].filter((fold) => !half.includes(fold))));

describe('the spread of halves', () => {
  test('of a mean it is the standard error of the mean, and the jackknife’s', () => {
    const { se } = halfSampleError(first, second, FOLDS.length);
    // scipy.stats.sem
    expect(se).toBeCloseTo(1.1086778913041726, 12);
    const leaveOneOut = FOLDS.map((_, left) => meanOf([0, 1, 2, 3, 4, 5].filter((fold) => fold !== left)));
    expect(jackknife(2.75, leaveOneOut).se).toBeCloseTo(se, 12);
  });

  test('the interval has t of the freedom that so few splits leave', () => {
    const error = halfSampleError(first, second, FOLDS.length);
    expect(error.df).toBeCloseTo(10 / 3, 12);
    const { low, high } = halfSampleInterval(2.75, error);
    // scipy.stats.t.ppf(0.975, 10/3)
    expect(low).toBeCloseTo(2.75 - T * 1.1086778913041726, 8);
    expect(high).toBeCloseTo(2.75 + T * 1.1086778913041726, 8);
    expect(halfSampleInterval(2.75, error, { min: 0, max: 5 })).toEqual({ low: 0, high: 5 });
  });

  test('what only rounding moves does not vary', () => {
    expect(halfSampleError([0.1 + 0.2, 0.3], [0.3, 0.3], 6).se).toBe(0);
  });

  test('without splits, with one fold or a value that cannot be computed it is NaN', () => {
    for (const [a, b, folds] of [
      [[], [], 6],
      [[1], [2], 1],
      [[1, Number.NaN], [2, 1], 6],
    ] as const) {
      const error = halfSampleError(a, b, folds);
      expect(error.se).toBeNaN();
      expect(halfSampleInterval(1, error).low).toBeNaN();
    }
  });

  test('of a count under a cut it is near the truth, where the jackknife’s is twice as large', () => {
    const [errors, jackknives, counts]: number[][] = [[], [], []];
    for (let run = 0; run < 60; run++) {
      const random = new Random(run);
      const noise = () =>
        Array.from({ length: 12 }, () => random.integer(1 << 20) / (1 << 20)).reduce((a, b) => a + b) - 6;
      // 400 units whose truths lie about the cut at 0, measured on 20 folds.
      const units = Array.from({ length: 400 }, (_, u) =>
        Array.from({ length: 20 }, () => (u - 200) / 200 + noise()),
      );
      const count = (chosen: readonly number[]) =>
        units.filter((own) => chosen.reduce((sum, fold) => sum + own[fold]!, 0) < 0).length;
      const all = Array.from({ length: 20 }, (_, fold) => fold);
      const halves = Array.from({ length: 30 }, () => random.shuffle([...all]).slice(0, 10));
      const rest = halves.map((half) => all.filter((fold) => !half.includes(fold)));
      errors!.push(halfSampleError(halves.map(count), rest.map(count), 20).se);
      jackknives!.push(
        jackknife(
          count(all),
          all.map((left) => count(all.filter((fold) => fold !== left))),
        ).se,
      );
      counts!.push(count(all));
    }
    const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const truth = Math.sqrt(mean(counts!.map((value) => (value - mean(counts!)) ** 2)));
    expect(mean(errors!) / truth).toBeGreaterThan(0.8);
    expect(mean(errors!) / truth).toBeLessThan(1.25);
    expect(mean(jackknives!) / truth).toBeGreaterThan(1.4);
  });
});
