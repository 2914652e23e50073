import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { describe, expect, test } from 'vitest';
import { InputError, ProbeError, RunError } from '../src/errors.js';
import { loadProbes } from '../src/probes/index.js';
import { openParquet } from '../src/read-parquet.js';
import { checkRuns } from '../src/read-parquet-runs.js';
import { readTable } from '../src/store/index.js';
import { temporaryFolder } from './support/temporary-folder.js';
import { writeTable } from './support/write-table.js';

/** A table by another program, of what a query gives. */
async function duckTable(query: string, options = 'format parquet'): Promise<string> {
  const path = join(temporaryFolder(), 'units.parquet');
  const connection = await (await DuckDBInstance.create(':memory:')).connect();
  await connection.run(`copy (${query}) to '${path}' (${options})`);
  return path;
}

async function refusal(path: string): Promise<string> {
  const before = process.memoryUsage();
  const start = process.cpuUsage();
  const error = await readTable(path).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  const { user } = process.cpuUsage(start);
  expect(error).toBeInstanceOf(RunError);
  expect(user / 1e6).toBeLessThan(2);
  const now = process.memoryUsage();
  expect(now.rss - before.rss).toBeLessThan(200e6);
  return (error as Error).message;
}

describe('tables whose pages ask for more than their bytes can hold', () => {
  test('a hundred million equal values in some kilobytes are not read', async () => {
    const path = await duckTable(
      'select 1::int as x from range(100000000)',
      'format parquet, row_group_size 100000000',
    );
    expect(readFileSync(path).length).toBeLessThan(1e6);
    expect(await refusal(path)).toContain('a row group of more than 67108864 values');
  });

  test.each([
    ['rows', 'rows', 1e12],
    ['values', 'values', 1e12],
    ['the size of its columns', 'compressed', 1e12],
    ['the place of its columns', 'offset', 1e12],
    ['a negative number of rows', 'rows', -1],
  ] as const)('a footer that lies about %s', async (_, field, value) => {
    const path = await duckTable('select i as x from range(1000) t(i)');
    const { footer, check, close } = await openParquet(path);
    const [group] = footer.row_groups;
    const column = group!.columns[0]!.meta_data!;
    if (field === 'rows') group!.num_rows = BigInt(value);
    if (field === 'values') column.num_values = BigInt(value);
    if (field === 'compressed') column.total_compressed_size = BigInt(value);
    if (field === 'offset') column.data_page_offset = column.dictionary_page_offset = BigInt(value);
    if (field === 'values') await check(group!);
    else await expect(check(group!)).rejects.toThrow(/of column x in|of a file of/);
    await close();
  });

  test('pages that claim to unpack to gigabytes', async () => {
    const path = await duckTable(
      "select repeat('a', 100000) as x from range(1000)",
      'format parquet, compression snappy',
    );
    const bytes = readFileSync(path);
    const { footer, close } = await openParquet(path);
    await close();
    const { data_page_offset: data, dictionary_page_offset: dictionary } =
      footer.row_groups[0]!.columns[0]!.meta_data!;
    const at = Number(dictionary ?? data);
    // The page's type is the first field of its header, its unpacked size the second: five bytes that say 2³¹ − 2.
    const size = bytes.indexOf(0x15, at + 2);
    for (let i = size + 1; (bytes[i]! & 0x80) !== 0; i++) bytes[i] = 0xfe;
    writeFileSync(path, bytes);
    expect(await refusal(path)).toMatch(/unpacks \d+ bytes to \d+|cannot be read/);
  });

  test('a footer longer than the file, and a file too short for one', async () => {
    const path = join(temporaryFolder(), 'units.parquet');
    writeFileSync(path, Buffer.from('PAR1\u00ff\u00ff\u00ff\u007fPAR1', 'latin1'));
    expect(await refusal(path)).toContain('a footer of 2147483647 bytes in a file of 12');
    writeFileSync(path, 'PAR1');
    expect(await refusal(path)).toContain('too few');
  });
});

test('tables of several pages and encodings by another program are read whole', async () => {
  const query =
    "select i as n, i % 3 = 0 as b, i / 7.0 as x, concat('größe ', i % 10) as s from range(200000) t(i)";
  for (const options of ['format parquet', 'format parquet, parquet_version v1, row_group_size 50000']) {
    const table = await readTable(await duckTable(query, options));
    expect(table.rows).toBe(200_000);
    expect(table.columns.get('s')![199_999]).toBe('größe 9');
    expect(table.columns.get('x')![199_999]).toBeCloseTo(199_999 / 7, 9);
    expect(table.columns.get('b')!.filter(Boolean).length).toBe(66_667);
  }
});

test('after an error nothing is left running: the file may be removed', async () => {
  const rejections: unknown[] = [];
  const note = (cause: unknown) => void rejections.push(cause);
  process.on('unhandledRejection', note);
  const path = join(temporaryFolder(), 'units.parquet');
  const columns = Array.from({ length: 40 }, (_, c) => ({
    name: `c${c}`,
    type: 'float64' as const,
    values: Float64Array.from({ length: 20_000 }, (_, i) => i * c),
  }));
  await writeTable(path, columns, {});
  const bytes = readFileSync(path);
  const { footer, close } = await openParquet(path);
  await close();
  for (const { meta_data: column } of footer.row_groups[0]!.columns.slice(0, 20)) {
    const at = Number(column!.data_page_offset);
    writeFileSync(path, Buffer.from(bytes).fill(0xff, at, at + 8));
    await expect(readTable(path)).rejects.toThrow(RunError);
    rmSync(path);
    await new Promise((later) => setTimeout(later, 5));
  }
  process.off('unhandledRejection', note);
  expect(rejections).toEqual([]);
  expect(existsSync(path)).toBe(false);
});

test('a published probe set whose parquet is a bomb is refused by its file', async () => {
  const path = await duckTable(
    "select 'x' as question, i as id from range(5000000) t(i)",
    'format parquet, row_group_size 5000000',
  );
  const read = loadProbes(path, { format: 'xquad' });
  await expect(read).rejects.toThrow(ProbeError);
  await expect(read).rejects.toThrow(InputError);
  await expect(read).rejects.toThrow('5000000 rows, more than 4000000');
});

test('a run of more values than its page has, which hyparquet would write, is refused', () => {
  const header = {
    type: 'DATA_PAGE',
    uncompressed_page_size: 6,
    compressed_page_size: 6,
    data_page_header: { num_values: 4, encoding: 'RLE_DICTIONARY' },
  };
  const column = { codec: 'UNCOMPRESSED' };
  const check = (...page: number[]) =>
    checkRuns(Uint8Array.from(page), header as never, column as never, { repetition: 0, definition: 0 });
  expect(() => check(1, 0xfe, 0xff, 0xff, 0xff, 0x0f, 0)).toThrow(
    'a run of 2147483647 values in a page of 4',
  );
  expect(() => check(1, 0xff, 0xff, 0xff, 0xff, 0x0f, 0)).toThrow('in a page of 4');
  expect(() => check(1, 8, 0)).not.toThrow();
  expect(() => check(1, 3, 0b0101)).not.toThrow();
});
