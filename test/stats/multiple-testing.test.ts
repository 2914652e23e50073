import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wilsonInterval } from '../../src/stats/intervals/bootstrap.js';
import { Draws } from '../../src/stats/sampling/random.js';
import { benjaminiHochberg, qOfCounts, qOfSorted } from '../../src/stats/tests/benjamini-hochberg.js';
import { itemSignFlip, withinItemPermutation } from '../../validation/within-item-permutation.js';

interface Fixture {
  readonly benjaminiHochberg: readonly {
    readonly name: string;
    readonly p: number[];
    readonly q: number[];
  }[];
  readonly wilson: readonly {
    readonly k: number;
    readonly n: number;
    readonly low: number;
    readonly high: number;
  }[];
  readonly withinItemPermutation: {
    readonly items: number;
    readonly languages: number;
    readonly units: number;
    readonly values: number[];
    readonly p: number[];
    readonly signFlip: number[];
  };
}

const fixture: Fixture = JSON.parse(
  readFileSync(new URL('../fixtures/stats/multiple-testing.json', import.meta.url), 'utf8'),
);

/** Asymptotic 1 % point of √n·D (Kolmogorov, 1933). */
const KOLMOGOROV_99 = 1.628;

describe('Benjamini–Hochberg', () => {
  test.each(fixture.benjaminiHochberg)("q-values are SciPy's false_discovery_control: $name", ({ p, q }) => {
    const own = benjaminiHochberg(p);
    expect(own.length).toBe(q.length);
    for (const [i, expected] of q.entries()) expect(own[i]).toBeCloseTo(expected, 14);
  });

  test("q-values are statsmodels' multipletests", () => {
    const { benjaminiHochberg: cases }: Pick<Fixture, 'benjaminiHochberg'> = JSON.parse(
      readFileSync(new URL('../fixtures/stats/statsmodels.json', import.meta.url), 'utf8'),
    );
    expect(cases).toHaveLength(6);
    for (const { p, q } of cases) {
      for (const [i, own] of benjaminiHochberg(p).entries()) expect(own).toBeCloseTo(q[i]!, 14);
    }
  });

  test('what cannot be tested stays NaN and counts for nothing', () => {
    const p = [0.01, Number.NaN, 0.04, 0.03, Number.NaN];
    const q = benjaminiHochberg(p);
    expect([q[1], q[4]]).toEqual([Number.NaN, Number.NaN]);
    expect([q[0], q[2], q[3]]).toEqual([...benjaminiHochberg([0.01, 0.04, 0.03])]);
    expect(benjaminiHochberg([])).toEqual(new Float64Array(0));
  });

  test("q-values looked up by p are SciPy's; NaN has none", () => {
    for (const { p, q } of fixture.benjaminiHochberg) {
      const own = qOfSorted(Float64Array.from([Number.NaN, ...p, Number.NaN]));
      for (const [i, expected] of q.entries()) expect(own(p[i]!)).toBeCloseTo(expected, 14);
      expect(own(Number.NaN)).toBeNaN();
    }
  });

  test("q-values of counted p-values are SciPy's, ties and all", () => {
    let ties = 0;
    for (const { p, q } of fixture.benjaminiHochberg) {
      const counts = new Map<number, number>();
      for (const value of p) counts.set(value, (counts.get(value) ?? 0) + 1);
      ties += p.length - counts.size;
      const own = qOfCounts(counts);
      for (const [i, expected] of q.entries()) expect(own.get(p[i]!)).toBeCloseTo(expected, 14);
    }
    expect(ties).toBeGreaterThan(0);
  });

  test('q rises with p, is at least p, at most 1, and does not depend on the order of the tests', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 40 }), (p) => {
        const q = benjaminiHochberg(p);
        const backwards = benjaminiHochberg([...p].reverse()).reverse();
        p.forEach((value, i) => {
          expect(q[i]).toBe(backwards[i]);
          expect(q[i]).toBeGreaterThanOrEqual(value);
          expect(q[i]).toBeLessThanOrEqual(1);
          p.forEach((other, j) => {
            if (value < other) expect(q[i]).toBeLessThanOrEqual(q[j]!);
          });
        });
      }),
    );
  });
});

test.each(fixture.wilson)("Wilson's interval of $k of $n is SciPy's", ({ k, n, low, high }) => {
  const own = wilsonInterval(k, n);
  expect(own[0]).toBeCloseTo(low, 12);
  expect(own[1]).toBeCloseTo(high, 12);
});

describe('permutation of languages within items', () => {
  test('p is the share of all arrangements, within Monte-Carlo error (four standard errors)', () => {
    const { p: exact, signFlip: _, ...grid } = fixture.withinItemPermutation;
    const permutations = 4000;
    const p = withinItemPermutation(grid, { permutations, seed: 5 });
    for (const [u, expected] of exact.entries()) {
      const error = Math.sqrt((expected * (1 - expected)) / permutations);
      expect(Math.abs(p[u]! - expected)).toBeLessThan(4 * error + 1 / permutations);
    }
  });

  const TESTS = { withinItemPermutation, itemSignFlip };
  test.each([
    ['withinItemPermutation', 1],
    ['itemSignFlip', 1],
    ['itemSignFlip', 3],
  ] as const)(
    '%s: p is uniform where no unit is tied, whatever items do, one language %i times as noisy (Kolmogorov–Smirnov at the level 0.01)',
    (name, noise) => {
      const [items, languages, units] = [20, 4, 800];
      const draws = new Draws(11);
      const values = new Float64Array(items * languages * units);
      for (let i = 0; i < items; i++) {
        const item = Float64Array.from({ length: units }, () => 3 * draws.gaussian());
        for (let k = 0; k < languages; k++) {
          const loud = k === 2 ? noise : 1;
          for (let u = 0; u < units; u++) {
            values[(i * languages + k) * units + u] = item[u]! + loud * draws.gaussian();
          }
        }
      }
      const p = TESTS[name]({ values, items, languages, units }, { permutations: 999, seed: 3 }).sort();
      let distance = 0;
      for (const [i, value] of p.entries()) {
        distance = Math.max(distance, Math.abs((i + 1) / units - value), Math.abs(i / units - value));
      }
      expect(distance * Math.sqrt(units)).toBeLessThan(KOLMOGOROV_99);
    },
  );

  test('sign flips: p is the share of all patterns of signs, within Monte-Carlo error (four standard errors)', () => {
    const { p: _, signFlip, ...grid } = fixture.withinItemPermutation;
    const permutations = 4000;
    const p = itemSignFlip(grid, { permutations, seed: 5 });
    for (const [u, expected] of signFlip.entries()) {
      const error = Math.sqrt((expected * (1 - expected)) / permutations);
      expect(Math.abs(p[u]! - expected)).toBeLessThan(4 * error + 1 / permutations);
    }
  });

  test('p is never 0: the least is 1/(1 + permutations)', () => {
    const values = Float64Array.from({ length: 30 * 4 }, (_, cell) => (cell % 4 === 2 ? 1 : 0));
    const [p] = withinItemPermutation(
      { values, items: 30, languages: 4, units: 1 },
      { permutations: 99, seed: 1 },
    );
    expect(p).toBe(0.01);
  });

  test('adding something to all languages of an item changes no p', () => {
    const { p: _, signFlip: __, ...grid } = fixture.withinItemPermutation;
    const row = grid.languages * grid.units;
    const shifted = grid.values.map((value, at) => value + 64 * Math.floor(at / row));
    const options = { permutations: 200, seed: 2 };
    expect(withinItemPermutation({ ...grid, values: shifted }, options)).toEqual(
      withinItemPermutation(grid, options),
    );
  });

  test('a unit that is constant within every item, or not finite somewhere, has no p', () => {
    const values = Float64Array.from([1, 0, 1, 2, 5, Number.NaN, 5, 3, 9, 5, 9, 3]);
    const p = withinItemPermutation(
      { values, items: 3, languages: 2, units: 2 },
      { permutations: 9, seed: 1 },
    );
    expect(p[0]).toBeNaN();
    expect(p[1]).toBeNaN();
  });
});
