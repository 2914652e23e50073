/** JSON has no NaN: what cannot be computed is null. */
export function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

export function finiteOrNullEach(values: ArrayLike<number>): (number | null)[] {
  return Array.from(values, finiteOrNull);
}

/** Values by name, [layer][unit], filled some units at a time, in order; null or NaN: cannot be computed. */
export class LayerGrids<Name extends string> {
  readonly grids: Record<Name, (number | null)[][]>;

  constructor(names: readonly Name[]) {
    this.grids = Object.fromEntries(names.map((name) => [name, []])) as Record<Name, []>;
  }

  add(layer: number, values: Readonly<Record<Name, ArrayLike<number | null>>>): void {
    for (const name of Object.keys(this.grids) as Name[]) {
      const own = Array.from(values[name], (value) => (value === null ? null : finiteOrNull(value)));
      this.grids[name][layer] = [...(this.grids[name][layer] ?? []), ...own];
    }
  }
}
