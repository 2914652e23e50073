import { join } from 'node:path';
import { RunError } from '../../errors.js';
import { readTable, type Table } from '../../store/index.js';
import { SCORES_SCHEMA_VERSION } from './summary.js';
import { SCORE_TABLES, type ScoreTableName } from './write-scores.js';

/**
 * Reads a run's `units.parquet`, `unit_languages.parquet` or `alignment.parquet`: columns by name, and what the table says of itself. Tables
 * of older versions are read as they are: with fewer columns.
 *
 * @param columns names; default all.
 * @throws RunError if it is missing, is no such table, or is of a newer schema than this version knows.
 */
export async function readScores(
  folder: string,
  name: ScoreTableName,
  columns?: readonly string[],
): Promise<Table> {
  const path = join(folder, `${name}.parquet`);
  const table = await readTable(path, columns);
  const { schema, schema_version: version } = table.metadata;
  const expected = SCORE_TABLES[name];
  if (schema !== expected) {
    throw new RunError({
      what: 'the table is not what its name says',
      where: path,
      expected: `schema ${expected}`,
      found: schema ?? 'no schema',
      remedy: 'write it again with `babelscope score`',
    });
  }
  if (!(Number(version) <= SCORES_SCHEMA_VERSION)) {
    throw new RunError({
      what: 'the table was written by a newer version of babelscope',
      where: path,
      expected: `schema_version up to ${SCORES_SCHEMA_VERSION}`,
      found: version ?? 'none',
      remedy: 'update babelscope, or score the run again with this version',
    });
  }
  return table;
}
