import { Float16Array, f16round } from '@petamoriken/float16';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromFloat16, toFloat16 } from '../../src/store/files/float16.js';

/** Largest finite IEEE 754 half-precision number. */
const FLOAT16_MAX = 65_504;

const ALL_BITS = Uint16Array.from({ length: 65_536 }, (_, i) => i);
const ALL_HALVES = Float32Array.from(new Float16Array(ALL_BITS.buffer));

describe('fromFloat16', () => {
  it('gives every half-precision number its value', () => {
    expect(fromFloat16(ALL_BITS)).toEqual(ALL_HALVES);
    expect([...fromFloat16(Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x0001))]).toEqual([
      1,
      -2,
      FLOAT16_MAX,
      2 ** -24,
    ]);
  });
});

describe('toFloat16', () => {
  it('is the inverse of fromFloat16; NaN stays NaN and infinities stay infinite', () => {
    const { bits, saturated } = toFloat16(ALL_HALVES);
    expect(saturated).toBe(0);
    expect(fromFloat16(bits)).toEqual(ALL_HALVES);
  });

  it('rounds to nearest, ties to even, at and around every midpoint', () => {
    const values: number[] = [];
    for (let i = 0; i < 0x7bff; i++) {
      const middle = (ALL_HALVES[i]! + ALL_HALVES[i + 1]!) / 2;
      values.push(middle, -middle, middle * (1 + 2 ** -22), middle * (1 - 2 ** -22));
    }
    const singles = Float32Array.from(values);
    const { bits, saturated } = toFloat16(singles);
    expect(saturated).toBe(0);
    expect(fromFloat16(bits)).toEqual(singles.map((value) => f16round(value)));
  });

  it('rounds any single-precision number as the library does, but saturates and counts what is out of range', () => {
    fc.assert(
      fc.property(fc.float32Array({ maxLength: 200 }), (values) => {
        const { bits, saturated } = toFloat16(values);
        const expected = values.map((value) =>
          Number.isFinite(value) ? f16round(Math.max(-FLOAT16_MAX, Math.min(FLOAT16_MAX, value))) : value,
        );
        expect(fromFloat16(bits)).toEqual(expected);
        expect(saturated).toBe(values.filter((v) => Number.isFinite(v) && Math.abs(v) > FLOAT16_MAX).length);
      }),
      { seed: 1, numRuns: 500 },
    );
    expect(toFloat16(Float32Array.of(65_504, 65_505, 65_520, -1e30, Infinity)).saturated).toBe(3);
  });

  it('or makes what is out of range infinite, and counts it', () => {
    const { bits, saturated } = toFloat16(
      Float32Array.of(65_504, 65_519, 65_520, -1e30, Infinity, Number.NaN),
      'infinite',
    );
    expect([...fromFloat16(bits)]).toEqual([65_504, 65_504, Infinity, -Infinity, Infinity, Number.NaN]);
    expect(saturated).toBe(2);
  });

  it('reads a view into a larger buffer', () => {
    const values = Float32Array.of(9, 1, 2, 9).subarray(1, 3);
    expect([...fromFloat16(toFloat16(values).bits)]).toEqual([1, 2]);
  });
});
