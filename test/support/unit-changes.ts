import { join } from 'node:path';
import type { Comparison } from '../../src/compare/comparison.js';
import type { RunToCompare } from '../../src/compare/inputs/regimes.js';
import { type ChangesOptions, writeChanges } from '../../src/compare/units/changes.js';
import { readTable } from '../../src/store/files/table.js';
import { temporaryFolder } from '../store/temporary-folder.js';

/** Reads how units changed, as `changes.parquet` has it: columns of one type and score, unit by unit. */
export async function unitChangesOf(
  runs: readonly RunToCompare[],
  comparison: Comparison,
  options: ChangesOptions = {},
) {
  const folder = await temporaryFolder();
  await writeChanges(folder, runs, { units: comparison.units, threads: 1, ...options });
  const { rows, columns } = await readTable(join(folder, 'changes.parquet'));
  return (type: string, score: string): Record<string, unknown[]> => {
    const own = Array.from({ length: rows }, (_, row) => row).filter(
      (row) => columns.get('type')![row] === type && columns.get('score')![row] === score,
    );
    return Object.fromEntries([...columns].map(([name, values]) => [name, own.map((row) => values[row])]));
  };
}
