import type { PooledGrid } from '../../src/store/arrays/pooled-grid.js';
import { readArray, reference } from './reference-run.js';

/** The grid of items × languages whose cells `present` says hold values. */
export function gridOf(
  items: number,
  languages: number,
  foldOf: readonly number[],
  present: (item: number, language: number) => boolean = () => true,
): PooledGrid {
  const row = Uint32Array.from({ length: items * languages }, (_, cell) => cell).filter((cell) =>
    present(Math.floor(cell / languages), cell % languages),
  );
  const counts = new Uint32Array(items);
  for (const cell of row) counts[Math.floor(cell / languages)]! += 1;
  return {
    languages,
    folds: Math.max(...foldOf) + 1,
    items,
    row,
    language: Uint8Array.from(row, (cell) => cell % languages),
    item: row.map((cell) => Math.floor(cell / languages)),
    complete: Uint32Array.from(counts.keys()).filter((item) => counts[item] === languages),
    foldOf: Uint32Array.from(foldOf),
  };
}

/** The reference run's grid. */
export const referenceGrid = gridOf(
  reference.items,
  reference.languages,
  reference.foldOf,
  (item, k) => !reference.missing.some(([i, l]) => i === item && l === k),
);

/** Values [prompt] of a unit of the reference run, for each unit. */
export async function referenceUnits(
  layer: number,
  array: 'mlp.items' | 'head.norm.items',
  units: number,
): Promise<Float32Array[]> {
  const values = await readArray(layer, array);
  return Array.from({ length: units }, (_, u) =>
    Float32Array.from(referenceGrid.row, (cell) => values[cell * units + u]!),
  );
}
