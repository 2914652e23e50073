import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  drawsOfLevel,
  ExchangedSums,
  exchangeMasks,
  exchangePValue,
  exchangeTest,
} from '../../src/stats/index.js';
import { Draws } from '../../src/stats/sampling/random.js';

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
/** Sum over blocks of second − first, where swapped blocks change sides. */
const differenceOf = (differences: readonly number[]) => (swapped: Uint8Array) =>
  sum(differences.map((own, block) => (swapped[block] === 1 ? -own : own)));

describe('exchange', () => {
  test('Fisher’s sign flips of Darwin’s maize: 863 of 16,384 arrangements a side', () => {
    // Differences of 15 pairs, in eighths of an inch (Darwin, 1876; Fisher, The Design of Experiments, 1935, §21).
    const maize = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48];
    const { p, exact, arrangements, value } = exchangeTest(15, differenceOf(maize), {
      complement: 'negates',
      level: 0.0008,
      seed: 1,
    });
    expect([exact, arrangements, value]).toEqual([true, 16_384, 314]);
    expect(p).toBe(863 / 16_384);
    const oneSided = exchangeTest(15, differenceOf(maize), {
      complement: 'negates',
      alternative: 'greater',
      level: 0.0008,
      seed: 1,
    });
    expect(oneSided.p).toBe(863 / 32_768);
  });

  test('counted out, it is the share of all arrangements, whatever the complement does', () => {
    const value = fc.integer({ min: -20, max: 20 });
    fc.assert(
      fc.property(fc.array(value, { minLength: 1, maxLength: 7 }), (differences) => {
        const statistic = differenceOf(differences);
        const n = differences.length;
        const all: number[] = Array.from({ length: 2 ** n }, (_, bits) =>
          statistic(Uint8Array.from({ length: n }, (_, block) => (bits >> block) & 1)),
        );
        const own = statistic(new Uint8Array(n));
        const extreme = all.filter((one) => Math.abs(one) >= Math.abs(own)).length / all.length;
        const tail = all.filter((one) => one >= Math.abs(own)).length / all.length;
        for (const complement of ['negates', 'neither'] as const) {
          const { p, exact } = exchangeTest(n, statistic, { complement, seed: 1 });
          expect(exact).toBe(true);
          expect(p).toBeCloseTo(complement === 'negates' ? extreme : Math.min(1, 2 * tail), 12);
        }
      }),
    );
  });

  test('drawn, it is near the exact p, never 0, and the same for the same seed', () => {
    const draws = new Draws(2);
    const differences = Array.from({ length: 9 }, () => 0.6 + draws.gaussian());
    const statistic = differenceOf(differences);
    const exact = exchangeTest(9, statistic, { complement: 'negates', level: 0.05, seed: 1 });
    const drawn = exchangeTest(9, statistic, { complement: 'neither', level: 0.05, seed: 1 });
    expect([exact.exact, drawn.exact]).toEqual([true, false]);
    const error = Math.sqrt((exact.p * (1 - exact.p)) / drawn.arrangements);
    expect(Math.abs(drawn.p - exact.p)).toBeLessThan(4 * error);
    expect(exchangeTest(9, statistic, { level: 0.05, seed: 1 })).toEqual(drawn);
    const sure = exchangeTest(40, differenceOf(new Array(40).fill(1)), { seed: 1 });
    expect(sure.p).toBe(2 / (drawsOfLevel(0.05) + 1));
  });

  test('draws are as many as a level needs, and a family asks for more', () => {
    expect(drawsOfLevel(0.05)).toBe(399);
    expect(drawsOfLevel(0.05, 17)).toBe(679);
    expect(exchangeMasks(30, { seed: 1 }).masks).toHaveLength(400);
    expect(exchangeMasks(6, { seed: 1 }).masks).toHaveLength(64);
    expect(exchangeMasks(6, { seed: 1, complement: 'same' }).masks).toHaveLength(32);
    expect(exchangeMasks(6, { seed: 1 }).masks[0]).toEqual(new Uint8Array(6));
  });

  test('a statistic that leans, for one run is the reference, is judged by the smaller of its tails, twice', () => {
    // Seen from the other run the same change is of another size: with the labels swapped it lies further out.
    expect(exchangePValue([-24, 41, 0, -3, 12, -8, 39, 2, 5, -1])).toBe(0.2);
    expect(exchangePValue([-5, -5, -4, -6, -5, -3, -7, -5, -5, -5])).toBe(1);
  });

  test('one side alone; what cannot be computed in a draw counts as extreme', () => {
    expect(exchangePValue([0.7, 0.9, 0.95, 0.8], 'less')).toBe(0.25);
    expect(exchangePValue([0.7, 0.9, 0.95, 0.8], 'greater')).toBe(1);
    expect(exchangePValue([0.7, 0.9, Number.NaN, 0.8], 'less')).toBe(0.5);
    expect(exchangePValue([Number.NaN, 1, 2])).toBeNaN();
  });

  test('an arrangement that is the observed one but for rounding is as extreme', () => {
    expect(exchangePValue([0.3, 0.1 + 0.2 - 1e-15], 'greater')).toBe(1);
  });

  test('of runs that do not differ at most 5 % are called, give or take what 2,000 draws tell', () => {
    const draws = new Draws(8);
    let called = 0;
    const repetitions = 2000;
    for (let n = 0; n < repetitions; n++) {
      // Lopsided and heavy-tailed, but labels are tossed.
      const differences = Array.from({ length: 12 }, () => {
        const one = draws.gaussian() ** 3;
        return draws.uniform() < 0.5 ? one : -one;
      });
      const { p } = exchangeTest(12, differenceOf(differences), { complement: 'negates', seed: n });
      if (p <= 0.05) called++;
    }
    expect(called / repetitions).toBeGreaterThan(0.036);
    expect(called / repetitions).toBeLessThan(0.064);
  });
});

test('pseudo-runs are sums over blocks of one run or the other', () => {
  const cells = fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 15, maxLength: 15 });
  const mask = fc.array(fc.integer({ min: 0, max: 1 }), { minLength: 5, maxLength: 5 });
  fc.assert(
    fc.property(cells, cells, mask, (a, b, swapped) => {
      const sums = new ExchangedSums(Float64Array.from(a), Float64Array.from(b), 3);
      const [first, second] = [new Float64Array(3), new Float64Array(3)];
      sums.pseudoRuns(Uint8Array.from(swapped), first, second);
      for (let at = 0; at < 3; at++) {
        const own = (run: 0 | 1) =>
          sum(swapped.map((swap, block) => (swap === run ? a : b)[3 * block + at]!));
        expect([first[at], second[at]]).toEqual([own(0), own(1)]);
      }
    }),
  );
});
