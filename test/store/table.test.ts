import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, it } from 'vitest';
import { RunError } from '../../src/errors.js';
import { readTable } from '../../src/store/files/table.js';
import { type TableColumn, writeTable } from '../support/write-table.js';
import { temporaryFolder } from './temporary-folder.js';

const ROWS = 70_000; // more than one row group
const rows = Array.from({ length: ROWS }, (_, i) => i);

const COLUMNS: TableColumn[] = [
  { name: 'type', type: 'string', values: rows.map((i) => (i % 2 === 0 ? 'neuron' : 'head')) },
  { name: 'layer', type: 'int32', values: Int32Array.from(rows, (i) => i >> 8) },
  { name: 'dead', type: 'boolean', values: rows.map((i) => i % 7 === 0) },
  {
    name: 'lape',
    type: 'float64',
    values: Float64Array.from(rows, (i) => (i % 7 === 0 ? Number.NaN : i / 3)),
  },
  {
    name: 'topLanguage',
    type: 'string',
    values: rows.map((i) => (i % 7 === 0 ? null : ['zh-Hant', 'हिन्दी'][i % 2]!)),
  },
  { name: 'vectorShare', type: 'float64', values: new Float64Array(ROWS).fill(Number.NaN) },
];
const METADATA = { 'babelscope.run': '{"model":"größe"}', a: '1' };

async function written(columns = COLUMNS): Promise<string> {
  const path = join(await temporaryFolder(), 'units.parquet');
  await writeTable(path, columns, METADATA);
  return path;
}

describe('writeTable', () => {
  it('writes what readTable gives back: NaN as null and NaN again, texts, nulls, metadata', async () => {
    const table = await readTable(await written());
    expect(table.rows).toBe(ROWS);
    expect(table.metadata).toEqual(METADATA);
    expect([...table.columns.keys()]).toEqual(COLUMNS.map(({ name }) => name));
    for (const { name, values } of COLUMNS)
      expect(table.columns.get(name)).toEqual(Array.from<unknown>(values));
  });

  it('writes a table that DuckDB reads', async () => {
    const path = await written();
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    const query = async (sql: string) => (await connection.runAndReadAll(sql)).getRowsJson();
    expect(
      await query(`select count(*), count(lape), count(vectorShare), sum(layer), count(distinct topLanguage), sum(lape)
                   from '${path}'`),
    ).toEqual([
      [
        String(ROWS),
        String(rows.filter((i) => i % 7 !== 0).length),
        '0',
        String(rows.reduce((sum, i) => sum + (i >> 8), 0)),
        '2',
        expect.closeTo(
          rows.reduce((sum, i) => sum + (i % 7 === 0 ? 0 : i / 3), 0),
          6,
        ),
      ],
    ]);
    expect(await query(`select column_name, column_type from (describe select * from '${path}')`)).toEqual([
      ['type', 'VARCHAR'],
      ['layer', 'INTEGER'],
      ['dead', 'BOOLEAN'],
      ['lape', 'DOUBLE'],
      ['topLanguage', 'VARCHAR'],
      ['vectorShare', 'DOUBLE'],
    ]);
    expect(await query(`select topLanguage, lape from '${path}' where layer = 9 limit 2 offset 1`)).toEqual([
      ['हिन्दी', 2305 / 3],
      ['zh-Hant', 2306 / 3],
    ]);
    expect(
      await query(
        `select decode(value) from parquet_kv_metadata('${path}') where decode(key) = 'babelscope.run'`,
      ),
    ).toEqual([['{"model":"größe"}']]);
  });

  it('gives equal bytes for equal tables, whatever the order of the metadata', async () => {
    const [a, b] = [await written(), join(await temporaryFolder(), 'b')];
    await writeTable(b, COLUMNS, { a: METADATA.a, 'babelscope.run': METADATA['babelscope.run'] });
    expect((await readFile(a)).equals(await readFile(b))).toBe(true);
  });

  it('writes tables without rows', async () => {
    const empty = COLUMNS.map((column) => ({ ...column, values: [] }));
    const table = await readTable(await written(empty as TableColumn[]));
    expect([table.rows, table.columns.size]).toEqual([0, COLUMNS.length]);
  });

  it('refuses columns of different lengths', async () => {
    await expect(written([COLUMNS[0]!, { name: 'x', type: 'int32', values: [1] }])).rejects.toThrow(
      /column x/,
    );
  });
});

describe('readTable', () => {
  it('refuses a file that is missing or not parquet with a RunError', async () => {
    const path = join(await temporaryFolder(), 'x.parquet');
    await expect(readTable(path)).rejects.toThrow(RunError);
    await expect(readTable(path)).rejects.toThrow(/there is no such table[\s\S]*babelscope score/);
    await writeFile(path, 'not a parquet file');
    await expect(readTable(path)).rejects.toThrow(RunError);
    const whole = await readFile(await written());
    await writeFile(path, whole.subarray(0, whole.length - 20));
    await expect(readTable(path)).rejects.toThrow(RunError);
  });
});
