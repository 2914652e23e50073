import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Argsort } from '../../src/stats/sorting/argsort.js';

const sorter = new Argsort();

/** Stable order by comparison; −0 and 0 are equal, as under `<`. */
function byComparison(values: Float32Array | Float64Array): number[] {
  return [...values.keys()].sort((a, b) =>
    values[a]! < values[b]! ? -1 : values[a]! > values[b]! ? 1 : a - b,
  );
}

test.each([
  ['float32', fc.float32Array({ noNaN: true, maxLength: 200 })],
  ['float64', fc.float64Array({ noNaN: true, maxLength: 200 })],
] as const)(
  'Argsort orders %s as comparison does: infinities, subnormals, both zeros, ties by index',
  (_, arrays) => {
    fc.assert(
      fc.property(arrays, (values) => {
        expect([...sorter.order(values)]).toEqual(byComparison(values));
      }),
    );
  },
);

test('Argsort orders values that share most digits', () => {
  for (const values of [
    Float64Array.from({ length: 500 }, (_, i) => 1 + ((i * 7919) % 101) * Number.EPSILON),
    Float64Array.from({ length: 500 }, (_, i) => (i % 2 === 0 ? -1 : 1) * ((i * 31) % 17)),
    Float64Array.of(0, -0, 0, -0),
  ]) {
    expect([...sorter.order(values)]).toEqual(byComparison(values));
    expect([...sorter.order(Float32Array.from(values))]).toEqual(byComparison(Float32Array.from(values)));
  }
});

test('NaN comes first or last', () => {
  for (const values of [Float32Array.of(1, Number.NaN, -2), Float64Array.of(1, -Number.NaN, -2, Infinity)]) {
    const order = sorter.order(values);
    expect([values[order[0]!], values[order.at(-1)!]].some(Number.isNaN)).toBe(true);
  }
});
