import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { Random } from '../../src/stats/sampling/random.js';
import { randomHalves } from '../../src/stats/sampling/resampling.js';

test('the same seed gives the same numbers, another seed others', () => {
  const draw = (seed: number) => {
    const random = new Random(seed);
    return Array.from({ length: 20 }, () => random.integer(1000));
  };
  expect(draw(7)).toEqual(draw(7));
  expect(draw(7)).not.toEqual(draw(8));
});

test('integer(bound) covers 0 … bound − 1 evenly', () => {
  const random = new Random(1);
  const counts = new Array<number>(7).fill(0);
  for (let i = 0; i < 70_000; i++) counts[random.integer(7)]! += 1;
  // χ² with 6 degrees of freedom exceeds 22.46 once in a thousand.
  expect(counts.reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0)).toBeLessThan(22.46);
});

test('shuffle permutes, and each order of three comes up equally often', () => {
  const random = new Random(2);
  const counts = new Map<string, number>();
  for (let i = 0; i < 60_000; i++) {
    const order = random.shuffle([0, 1, 2]).join('');
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect([...counts.keys()].sort()).toEqual(['012', '021', '102', '120', '201', '210']);
  const chi2 = [...counts.values()].reduce((sum, count) => sum + (count - 10_000) ** 2 / 10_000, 0);
  // 5 degrees of freedom, one in a thousand.
  expect(chi2).toBeLessThan(20.52);
});

test('sample gives distinct ascending integers, and all of them when asked for more', () => {
  fc.assert(
    fc.property(
      fc.integer(),
      fc.integer({ min: 0, max: 60 }),
      fc.integer({ min: 0, max: 80 }),
      (seed, bound, count) => {
        const drawn = [...new Random(seed).sample(bound, count)];
        expect(drawn.length).toBe(Math.min(bound, count));
        expect(drawn.every((value, i) => value < bound && (i === 0 || value > drawn[i - 1]!))).toBe(true);
      },
    ),
  );
});

test('randomHalves deals every fold into exactly one of two balanced halves', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 25 }), fc.integer(), (folds, seed) => {
      const splits = randomHalves(folds, 5, seed);
      expect(splits).toHaveLength(5);
      for (const { first, second } of splits) {
        expect(first.length).toBe(folds >> 1);
        expect([...first, ...second].sort((a, b) => a - b)).toEqual(
          Array.from({ length: folds }, (_, f) => f),
        );
      }
      expect(randomHalves(folds, 5, seed)).toEqual(splits);
    }),
  );
});

test('randomHalves splits the folds it is given, and refuses fewer than two', () => {
  const [{ first, second }] = randomHalves([3, 9], 1, 0) as [{ first: number[]; second: number[] }];
  expect([...first, ...second].sort()).toEqual([3, 9]);
  expect(() => randomHalves(1, 5, 0)).toThrow(UsageError);
});
