import { expect, test } from 'vitest';
import { reduceLayer } from '../../src/capture/parts/reduce-layer.js';
import type { LayerArray } from '../../src/capture/plan/recording.js';
import { ItemEvaluator } from '../../src/scores/samples/item-evaluator.js';
import { sumsOfSquares, twoWaySums } from '../../src/scores/samples/sums-of-squares.js';
import { fromFloat16 } from '../../src/store/index.js';

const LANGUAGES = 2;
const ITEMS = 2;

/** Pooled values [item, language, 2 units] as a part stores them: those of unit 1 as given, of unit 0 small. */
function pooled(values: readonly number[]) {
  const array: LayerArray = {
    name: 'mlp.items',
    dtype: 'F16',
    shape: [ITEMS, LANGUAGES, 2],
    reading: 'mlp.hook_post/sum',
    per: 'item',
    mean: true,
    skipped: 0,
  };
  const rows = Float32Array.from(values.flatMap((value, n) => [n, value]));
  const places = values.map((_, n) => ({ item: n >> 1, language: n & 1, countedTokens: 1 }));
  const readings = { layer: 0, arrays: new Map([[array.reading!, rows]]) };
  const { buffers, saturated } = reduceLayer([array], readings as never, places, ITEMS, LANGUAGES);
  return { bits: buffers[0] as Uint16Array, saturated };
}

test('a pooled value beyond half precision is stored as infinite, and its unit alone has no scores of pooled values', () => {
  const { bits, saturated } = pooled([1, 70_000, 3, -1e9]);
  expect(saturated).toBe(2);
  const values = fromFloat16(bits);
  expect([...values]).toEqual([0, 1, 1, Infinity, 2, 3, 3, -Infinity]);

  const evaluator = new ItemEvaluator({
    languages: LANGUAGES,
    folds: 2,
    items: ITEMS,
    language: Uint8Array.of(0, 1, 0, 1),
    item: Uint32Array.of(0, 0, 1, 1),
    row: Uint32Array.of(0, 1, 2, 3),
    complete: Uint32Array.of(0, 1),
    foldOf: Uint32Array.of(0, 1),
  });
  const parts = { ranks: true, mi: true, selectivity: true, overlap: true };
  const ofUnit = (unit: number) => bits.filter((_, at) => at % 2 === unit);
  expect([0, 1].map((unit) => evaluator.load(ofUnit(unit), parts))).toEqual([true, false]);

  const row = (item: number, k: number) =>
    values.subarray((item * LANGUAGES + k) * 2, (item * LANGUAGES + k) * 2 + 2);
  const squares = sumsOfSquares(
    twoWaySums(row, [0, 1], [0, 1], { folds: 2, languages: LANGUAGES, units: 2 }),
  );
  for (const of of ['total', 'language', 'item'] as const) {
    expect(squares[of][0]).not.toBeNaN();
    expect(squares[of][1]).toBeNaN();
  }
});

test('a value that rounds to the largest half is kept', () => {
  expect(fromFloat16(pooled([65_519, 1, 2, 3]).bits)[1]).toBe(65_504);
});
