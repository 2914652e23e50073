import { Float16Array } from '@petamoriken/float16';

/** Half-precision numbers as safetensors stores them; wrapped, so that nobody takes the bits for the numbers. */
export interface Float16Bits {
  /** IEEE 754 binary16. */
  readonly bits: Uint16Array;
}

export interface Float16Values extends Float16Bits {
  /** Finite values beyond half precision that were stored as something else. */
  readonly saturated: number;
}

/**
 * Rounds to half precision, to nearest with ties to even. NaN stays NaN (it marks what is missing), infinities stay
 * infinite.
 *
 * @param beyond How finite values out of range are stored and counted: as ±65504, which a weight can be, or as infinite
 *   from 65520 on, the least that is nearer to no half, so that nobody takes them for measured.
 */
export function toFloat16(values: Float32Array, beyond: 'largest' | 'infinite' = 'largest'): Float16Values {
  const bits = new Uint16Array(values.length);
  const single = new Uint32Array(values.buffer, values.byteOffset, values.length);
  let saturated = 0;
  for (let i = 0; i < single.length; i++) {
    const sign = (single[i]! >>> 16) & 0x8000;
    const magnitude = single[i]! & 0x7fffffff;
    let half: number;
    if (magnitude >= 0x7f800000) {
      half = magnitude > 0x7f800000 ? 0x7e00 : 0x7c00;
    } else if (magnitude >= 0x477ff000) {
      // From 65520 on, the nearest half would be infinity.
      half = beyond === 'infinite' ? 0x7c00 : 0x7bff;
      saturated++;
    } else if (magnitude >= 0x38800000) {
      // Normal: drop 13 bits of the mantissa and re-bias the exponent from 127 to 15.
      const rebiased = magnitude - 0x38000000;
      half = (rebiased + 0xfff + ((rebiased >>> 13) & 1)) >>> 13;
      if (beyond === 'largest' && magnitude > 0x477fe000) saturated++;
    } else if (magnitude > 0x33000000) {
      // Subnormal: value / 2^-24, rounded.
      const shift = 126 - (magnitude >>> 23);
      const mantissa = (magnitude & 0x7fffff) | 0x800000;
      half = (mantissa + ((1 << (shift - 1)) - 1) + ((mantissa >>> shift) & 1)) >>> shift;
    } else {
      half = 0;
    }
    bits[i] = sign | half;
  }
  return { bits, saturated };
}

/** Every half-precision number by its bits, 256 kB, made when first needed. */
let table: Float32Array | undefined;

function halfTable(): Float32Array {
  table ??= Float32Array.from(new Float16Array(Uint16Array.from({ length: 65_536 }, (_, i) => i).buffer));
  return table;
}

/** Half-precision bits as numbers; exact. @param out Where to put them; default a new array. */
export function fromFloat16(
  bits: Uint16Array,
  out: Float32Array = new Float32Array(bits.length),
): Float32Array {
  const values = halfTable();
  for (let i = 0; i < bits.length; i++) out[i] = values[bits[i]!]!;
  return out;
}
