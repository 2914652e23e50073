/** JSON has no NaN: what cannot be computed is null. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

export function finiteOrNullEach(values: ArrayLike<number>): (number | null)[] {
  return Array.from(values, finiteOrNull);
}

/** The rows of a [row, column] array. */
export function rows<T extends { subarray(from: number, to: number): T }>(
  values: T,
  count: number,
  width: number,
): T[] {
  return Array.from({ length: count }, (_, row) => values.subarray(row * width, (row + 1) * width));
}

/** Values [layer][unit], filled some units at a time, in order. */
export class LayerRows {
  readonly rows: (number | null)[][] = [];

  add(layer: number, values: readonly (number | null)[]): void {
    this.rows[layer] = [...(this.rows[layer] ?? []), ...values];
  }
}
