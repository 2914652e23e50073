import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { languageShares } from '../../src/scores/definitions/language-shares.js';
import { omega2LanguageScore, type TwoWay, twoWay } from '../../src/scores/definitions/two-way.js';
import { vectorShare } from '../../src/scores/definitions/vector-share.js';
import { sumsOfSquares, twoWaySums } from '../../src/scores/samples/sums-of-squares.js';
import { completeItems, expectValues, readArray, reference } from './reference-run.js';

const NAMES = ['eta2Language', 'eta2Item', 'omega2Language', 'omega2Item'] as const;
const { languages, folds, foldOf, halfFolds } = reference;

async function sumsOf(layer: number, array: string, units: number) {
  const values = await readArray(layer, array);
  return twoWaySums(
    (item, k) => values.subarray((item * languages + k) * units, (item * languages + k + 1) * units),
    completeItems,
    foldOf,
    { folds, languages, units },
  );
}

/** Of a grid [item, language, unit]. */
function decompose(grid: ArrayLike<number>, items: number, K: number, units: number): TwoWay {
  const row = (item: number, k: number) =>
    Array.from({ length: units }, (_, u) => grid[(item * K + k) * units + u]!);
  const every = Array.from({ length: items }, (_, item) => item);
  return twoWay(
    twoWaySums(
      row,
      every,
      every.map((item) => item % 3),
      { folds: 3, languages: K, units },
    ),
  );
}

test('η² and ω² of language and item are those of least-squares fits of the two-way layout, on complete items', async () => {
  expect(completeItems.length).toBe(reference.completeItems);
  for (let layer = 0; layer < reference.layers; layer++) {
    const { neuron, head } = reference.expected[layer]!;
    const neurons = twoWay(await sumsOf(layer, 'mlp.items', reference.neurons));
    const heads = twoWay(await sumsOf(layer, 'head.norm.items', reference.heads));
    for (const name of NAMES) {
      expectValues(neurons[name], neuron[name]);
      expectValues(heads[name], head[name]);
    }
  }
});

interface AnovaRow {
  readonly item: number;
  readonly language: number;
  readonly rest: number;
  readonly freedom: readonly [number, number, number];
}
const statsmodels: {
  readonly neurons: readonly number[];
  readonly anova: readonly (readonly AnovaRow[])[];
} = JSON.parse(readFileSync(new URL('../fixtures/stats/statsmodels.json', import.meta.url), 'utf8'));

test('sums of squares of language and item are those of statsmodels’ analysis of variance, and η² and ω² follow', async () => {
  for (const [layer, rows] of statsmodels.anova.entries()) {
    const sums = await sumsOf(layer, 'mlp.items', reference.neurons);
    const { total, language, item } = sumsOfSquares(sums);
    const effects = twoWay(sums);
    for (const [i, expected] of rows.entries()) {
      const u = statsmodels.neurons[i]!;
      const all = expected.item + expected.language + expected.rest;
      expect(language[u]! / expected.language).toBeCloseTo(1, 9);
      expect(item[u]! / expected.item).toBeCloseTo(1, 9);
      expect(total[u]! / all).toBeCloseTo(1, 9);
      const [items, tongues, freedom] = expected.freedom;
      const mean = expected.rest / freedom;
      expect(effects.eta2Language[u]).toBeCloseTo(expected.language / all, 9);
      expect(effects.eta2Item[u]).toBeCloseTo(expected.item / all, 9);
      expect(effects.omega2Language[u]).toBeCloseTo((expected.language - tongues * mean) / (all + mean), 9);
      expect(effects.omega2Item[u]).toBeCloseTo((expected.item - items * mean) / (all + mean), 9);
    }
  }
});

test('sums over half of the folds decompose the items of those folds', async () => {
  for (let layer = 0; layer < reference.layers; layer++) {
    const half = twoWay(await sumsOf(layer, 'mlp.items', reference.neurons), halfFolds);
    for (const name of NAMES) expectValues(half[name], reference.expected[layer]!.neuron.half[name]);
  }
});

test('vector share is the ratio of traces of between-language (and item) and total scatter', async () => {
  for (let layer = 0; layer < reference.layers; layer++) {
    const sums = await sumsOf(layer, 'head.items', reference.heads * reference.headDim);
    const { head } = reference.expected[layer]!;
    const whole = vectorShare(sums, reference.headDim);
    expectValues(whole.language, head.vectorShareLanguage);
    expectValues(whole.item, head.vectorShareItem);
    const half = vectorShare(sums, reference.headDim, halfFolds);
    expectValues(half.language, head.half.vectorShareLanguage);
    expectValues(half.item, head.half.vectorShareItem);
  }
});

test('a unit that follows language alone has η²_language 1 and η²_item 0; one that follows the item the reverse', () => {
  const language = decompose([1, 5, 1, 5, 1, 5], 3, 2, 1);
  expect([language.eta2Language[0], language.eta2Item[0]]).toEqual([1, 0]);
  expect(language.omega2Language[0]).toBe(1);
  const item = decompose([1, 1, 4, 4, 9, 9], 3, 2, 1);
  expect(item.eta2Language[0]).toBeCloseTo(0, 15);
  expect(item.eta2Item[0]).toBeCloseTo(1, 15);
});

test('constant units have no decomposition, at whatever value and in any union of folds', () => {
  for (const value of [0, 0.1, 65504, -1e-8]) {
    const found = decompose(new Array<number>(12).fill(value), 4, 3, 1);
    for (const name of NAMES) expect(found[name][0]).toBeNaN();
  }
  const grid = [0.1, 0.3, 0.7, 0.7, 0.7, 0.7];
  const sums = twoWaySums((item, k) => [grid[item * 2 + k]!], [0, 1, 2], [0, 1, 1], {
    folds: 2,
    languages: 2,
    units: 1,
  });
  expect(twoWay(sums, [1]).eta2Language[0]).toBeNaN();
  expect(twoWay(sums).eta2Language[0]).not.toBeNaN();
});

test('folds in which a unit is constant have no decomposition, whatever rounding leaves of its distance to other folds', () => {
  for (let n = 1; n <= 200; n++) {
    const constant = n / 7;
    // Item 0 is alone in fold 0; sums are of x less its first value.
    const sums = twoWaySums((item, k) => [item === 0 ? 0.1 * n + k : constant], [0, 1, 2, 3], [0, 1, 1, 1], {
      folds: 2,
      languages: 3,
      units: 1,
    });
    for (const name of NAMES) expect(twoWay(sums, [1])[name][0]).toBeNaN();
  }
});

test('fewer than two items or languages have no decomposition', () => {
  expect(decompose([1, 2], 1, 2, 1).eta2Language[0]).toBeNaN();
  expect(decompose([1, 2], 2, 1, 1).eta2Item[0]).toBeNaN();
  expect(decompose([], 0, 2, 1).eta2Item[0]).toBeNaN();
});

test('one NaN or infinite value leaves that unit, and no other, without a decomposition', () => {
  const found = decompose([1, 1, 2, 2, Number.NaN, 5, 4, 4, 1, Infinity, 7, 9], 3, 2, 2);
  expect(found.eta2Language[0]).toBeNaN();
  expect(found.eta2Language[1]).toBeNaN();
  const one = decompose([1, 1, 2, 2, 3, 5, 4, 4, 1, Number.NaN, 7, 9], 3, 2, 2);
  expect(one.eta2Language[0]).not.toBeNaN();
  expect(one.eta2Language[1]).toBeNaN();
});

const grids = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 12, maxLength: 12 });

test('scaling and shifting x changes nothing, however far from zero', () => {
  fc.assert(
    fc.property(grids, (grid) => {
      const once = decompose(grid, 4, 3, 1);
      const moved = decompose(
        grid.map((x) => 1e6 - 3 * x),
        4,
        3,
        1,
      );
      for (const name of NAMES) expectValues(moved[name], [...once[name]].map(nullOf), 1e-9);
    }),
  );
});

test('permuting languages or items changes nothing; η² sum to at most 1', () => {
  fc.assert(
    fc.property(grids, (grid) => {
      const once = decompose(grid, 4, 3, 1);
      const permuted = decompose([...grid].reverse(), 4, 3, 1);
      for (const name of NAMES) expectValues(permuted[name], [...once[name]].map(nullOf), 1e-12);
      const sum = once.eta2Language[0]! + once.eta2Item[0]!;
      expect(Number.isNaN(sum) || (sum >= 0 && sum <= 1 + 1e-12)).toBe(true);
    }),
  );
});

test('every item twice changes no η²', () => {
  fc.assert(
    fc.property(grids, (grid) => {
      const once = decompose(grid, 4, 3, 1);
      const twice = decompose([...grid, ...grid], 8, 3, 1);
      for (const name of ['eta2Language', 'eta2Item'] as const) {
        expectValues(twice[name], [...once[name]].map(nullOf), 1e-12);
      }
    }),
  );
});

/** Vector shares of one unit of `size` dimensions, of a grid [item, language, dimension]. */
function shareOf(grid: readonly number[], items: number, K: number, size: number): [number, number] {
  const row = (item: number, k: number) => grid.slice((item * K + k) * size, (item * K + k + 1) * size);
  const every = Array.from({ length: items }, (_, item) => item);
  const sums = twoWaySums(
    row,
    every,
    every.map(() => 0),
    { folds: 1, languages: K, units: size },
  );
  const { language, item } = vectorShare(sums, size);
  return [language[0]!, item[0]!];
}

/** 4 items × 3 languages × 2 dimensions. */
const vectors = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 24, maxLength: 24 });

test('vector share: permuting languages, scaling, turning and shifting the vectors, and every item twice change nothing', () => {
  fc.assert(
    fc.property(vectors, fc.double({ min: 0, max: 6.3, noNaN: true }), (grid, angle) => {
      const once = shareOf(grid, 4, 3, 2).map(nullOf);
      const cell = (item: number, k: number) => grid.slice((item * 3 + k) * 2, (item * 3 + k) * 2 + 2);
      const cells = Array.from({ length: 12 }, (_, i) => i);
      const permuted = cells.flatMap((i) => cell(Math.floor(i / 3), ((i % 3) + 1) % 3));
      const turned = cells.flatMap((i) => {
        const [x, y] = cell(Math.floor(i / 3), i % 3) as [number, number];
        const [c, s] = [3 * Math.cos(angle), 3 * Math.sin(angle)];
        return [c * x - s * y + 100, s * x + c * y - 7];
      });
      expectValues(shareOf(permuted, 4, 3, 2), once, 1e-12);
      if (once[0] !== null) expectValues(shareOf(turned, 4, 3, 2), once, 1e-9);
      expectValues(shareOf([...grid, ...grid], 8, 3, 2), once, 1e-12);
      const sum = (once[0] ?? 0) + (once[1] ?? 0);
      expect(sum >= 0 && sum <= 1 + 1e-12).toBe(true);
    }),
  );
});

test('vector share of one dimension is η²; constant vectors, one item or one language have none; nor has a NaN', () => {
  fc.assert(
    fc.property(grids, (grid) => {
      const { eta2Language, eta2Item } = decompose(grid, 4, 3, 1);
      expectValues(shareOf(grid, 4, 3, 1), [nullOf(eta2Language[0]!), nullOf(eta2Item[0]!)], 1e-12);
    }),
  );
  expect(shareOf(new Array<number>(24).fill(0.3), 4, 3, 2)).toEqual([Number.NaN, Number.NaN]);
  expect(shareOf([1, 2, 3, 4], 1, 2, 2)).toEqual([Number.NaN, Number.NaN]);
  expect(shareOf([1, 2, 3, 4], 2, 1, 2)).toEqual([Number.NaN, Number.NaN]);
  expect(shareOf([1, 2, 3, 4, Number.NaN, 6, 7, 9], 2, 2, 2)).toEqual([Number.NaN, Number.NaN]);
});

function nullOf(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}

test('the interval of a share at this number of items is that of infinitely many, moved by what chance adds, which is never negative', () => {
  const [share, bias] = [0.5, 0.03];
  const spread = [-0.02, 0.01, 0.02, -0.01];
  const of = (shift: number) =>
    languageShares(
      Float64Array.of(share),
      spread.map((deviation) => Float64Array.of(share + deviation + shift / (spread.length - 1))),
    );
  const [moved, own] = of(bias);
  expect(moved.low[0]! - own.low[0]!).toBeCloseTo(bias, 12);
  expect(moved.high[0]! - own.high[0]!).toBeCloseTo(bias, 12);
  const [still, same] = of(-bias);
  expect([still.low[0], still.high[0]]).toEqual([same.low[0], same.high[0]]);
});

test('no share of variance has an interval that reaches past 1', () => {
  const squares = (language: number) => ({
    items: 12,
    languages: 3,
    total: Float64Array.of(1),
    language: Float64Array.of(language),
    item: Float64Array.of((1 - language) / 2),
  });
  const leftOut = [0.9, 0.99, 0.85, 0.98].map(squares);
  const { value, low, high } = omega2LanguageScore.interval(squares(0.95), leftOut, 1);
  expect(high[0]).toBe(1);
  expect(low[0]).toBeLessThan(value[0]!);
});
