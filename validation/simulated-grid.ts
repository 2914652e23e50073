import type { PooledGrid } from '../src/store/arrays/pooled-grid.js';

/** A grid without holes whose items are dealt into folds in turn. */
export function completeGrid(items: number, languages: number, folds: number): PooledGrid {
  const row = Uint32Array.from({ length: items * languages }, (_, cell) => cell);
  return {
    languages,
    folds,
    items,
    row,
    language: Uint8Array.from(row, (cell) => cell % languages),
    item: row.map((cell) => Math.floor(cell / languages)),
    complete: Uint32Array.from({ length: items }, (_, item) => item),
    foldOf: Uint32Array.from({ length: items }, (_, item) => item % folds),
  };
}
