/** Vectors of the items of one language, of length 1. */
export interface UnitVectors {
  readonly dimension: number;
  /** float32 [item, dimension]; zeros where there is no direction. */
  readonly values: Float32Array;
  /** [item]: 1 if it has a direction. */
  readonly present: Uint8Array;
  /** [item]: 1 if its vector is zero, which has none. */
  readonly zero: Uint8Array;
}

/** Divides the rows of [item, dimension] by their length, in place; rows with NaN are missing. */
export function unitVectors(values: Float32Array, dimension: number): UnitVectors {
  const items = values.length / dimension;
  const present = new Uint8Array(items);
  const zero = new Uint8Array(items);
  for (let i = 0; i < items; i++) {
    const row = values.subarray(i * dimension, (i + 1) * dimension);
    let square = 0;
    for (let d = 0; d < dimension; d++) square += row[d]! * row[d]!;
    if (square > 0) {
      const length = Math.sqrt(square);
      for (let d = 0; d < dimension; d++) row[d] = row[d]! / length;
      present[i] = 1;
    } else {
      if (square === 0) zero[i] = 1;
      row.fill(0);
    }
  }
  return { dimension, values, present, zero };
}
