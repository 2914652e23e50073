import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HALF_SORT_MOST, HalfSort } from '../../src/stats/sorting/half-sort.js';
import { fromFloat16 } from '../../src/store/files/float16.js';

/** Positions in descending order of value, ties by position, and which of them tie with the one before. */
function byComparison(bits: Uint16Array) {
  const values = fromFloat16(bits);
  const positions = [...bits.keys()].sort((a, b) => values[b]! - values[a]! || a - b);
  return { positions, ties: positions.map((at, r) => r > 0 && values[at] === values[positions[r - 1]!]) };
}

function bySort(bits: Uint16Array) {
  const words = [...new HalfSort(bits.length).descending(bits)];
  return {
    positions: words.map((word) => word & 0xffff),
    ties: words.map((word, r) => r > 0 && word >>> 16 === words[r - 1]! >>> 16),
  };
}

test('HalfSort orders float16 as comparison of the numbers does: subnormals, both zeros, ties by position', () => {
  // Finite numbers: an infinity less itself is none.
  const finite = fc.integer({ min: 0, max: 0xffff }).filter((bits) => (bits & 0x7c00) !== 0x7c00);
  const zero = fc.constantFrom(0, 0x8000, 1, 0x8001);
  fc.assert(
    fc.property(fc.array(fc.oneof(finite, zero), { maxLength: 300 }), (list) => {
      const bits = Uint16Array.from(list);
      expect(bySort(bits)).toEqual(byComparison(bits));
    }),
  );
});

test('HalfSort orders as many values as a position has bits for', () => {
  const bits = Uint16Array.from({ length: HALF_SORT_MOST }, (_, i) => (i * 40_503) & 0x7bff);
  expect(bySort(bits)).toEqual(byComparison(bits));
});
