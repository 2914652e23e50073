import { expect, test } from 'vitest';
import { bootstrapInterval } from '../../src/stats/intervals/bootstrap.js';
import { itemDraws, itemPermutations } from '../../src/stats/sampling/resampling.js';

/** 0, 0.01 … 1: quantiles are known. */
const draws = () => Float64Array.from({ length: 101 }, (_, i) => ((i * 37) % 101) / 100);

test('the percentile interval ends at the 2.5 % and 97.5 % quantiles of the draws, clipped to the range of the score', () => {
  const { se, low, high } = bootstrapInterval(0.6, draws());
  // numpy.quantile(x, [0.025, 0.975]), numpy.std(x, ddof=1).
  expect([low, high]).toEqual([expect.closeTo(0.025, 12), expect.closeTo(0.975, 12)]);
  expect(se).toBeCloseTo(0.293001706, 8);
  expect(bootstrapInterval(0.6, draws(), { max: 0.9 }).high).toBe(0.9);
});

test('draws without a value are left out; more than one in twenty leaves no interval, as does an estimate that is NaN', () => {
  const holed = (count: number) => draws().map((value, i) => (i < count ? Number.NaN : value));
  expect(bootstrapInterval(0.5, holed(5)).low).not.toBeNaN();
  expect(bootstrapInterval(0.5, holed(5).subarray(0, 100)).low).not.toBeNaN();
  expect(bootstrapInterval(0.5, holed(6)).low).toBeNaN();
  expect(bootstrapInterval(Number.NaN, draws()).se).toBeNaN();
});

test('a bootstrap draw takes as many items as there are, each equally often on average', () => {
  const [items, n] = [40, 2000];
  const counts = itemDraws(items, n, 3);
  const perItem = new Float64Array(items);
  for (let b = 0; b < n; b++) {
    const row = counts.subarray(b * items, (b + 1) * items);
    expect(row.reduce((sum, count) => sum + count, 0)).toBe(items);
    row.forEach((count, i) => {
      perItem[i]! += count;
    });
  }
  // Binomial(80,000, 1/40): mean 2000, standard deviation 44.
  for (const sum of perItem) expect(Math.abs(sum - n)).toBeLessThan(5 * 44);
  // With replacement: an item is absent from a draw in (1 − 1/40)⁴⁰ = 36.3 % of them.
  const absent = counts.filter((count) => count === 0).length / counts.length;
  expect(absent).toBeCloseTo((1 - 1 / items) ** items, 2);
  expect(itemDraws(items, 2, 3)).toEqual(counts.slice(0, 2 * items));
});

test('a permutation keeps each item’s languages among its own prompts, and every arrangement is equally likely', () => {
  const item = [0, 0, 0, 1, 2, 2];
  const label = [0, 1, 2, 1, 0, 2];
  const n = 6000;
  const permuted = itemPermutations(label, item, n, 8);
  const seen = new Map<string, number>();
  for (let p = 0; p < n; p++) {
    const row = [...permuted.subarray(p * 6, (p + 1) * 6)];
    expect(row.slice(0, 3).sort()).toEqual([0, 1, 2]);
    expect(row[3]).toBe(1);
    expect(row.slice(4).sort()).toEqual([0, 2]);
    seen.set(row.join(), (seen.get(row.join()) ?? 0) + 1);
  }
  expect(seen.size).toBe(12);
  // Expected 500 each, standard deviation 21.
  for (const count of seen.values()) expect(Math.abs(count - 500)).toBeLessThan(5 * 21);
});
