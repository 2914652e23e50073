import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { capture } from '../../src/capture/index.js';
import { ImportError, RunError } from '../../src/errors.js';
import {
  exportCsv,
  exportLapeMask,
  exportTransformerLens,
  readPytorch,
  TorchTensor,
} from '../../src/interchange/index.js';
import { type WritableValue, writePytorch } from '../../src/interchange/pytorch/write-pytorch.js';
import { readScores, scoreRun } from '../../src/scores/index.js';
import { openSafetensors } from '../../src/store/files/safetensors.js';
import { ROW_GROUP_ROWS } from '../../src/store/files/table.js';
import { csvLine } from '../../src/store/files/text-files.js';
import { writeRecord } from '../../src/store/integrity/record.js';
import { openRun } from '../../src/store/run/open-run.js';
import { babelscope, temporaryFolder } from '../support/command-line.js';
import { importRun, importSelection } from '../support/import-files.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';
import { TINY_PROBES, tinyMixture } from '../support/tiny-checkpoint.js';
import { writeTable } from '../support/write-table.js';

async function scoredRun(keep: 'items' | 'folds' = 'items') {
  const folder = join(temporaryFolder(), 'run');
  const planted = [
    { layer: 1, index: 7, language: 2 },
    { layer: 3, index: 0, language: 0 },
  ];
  await writeSyntheticRun(folder, { planted, keep });
  await scoreRun(folder);
  return folder;
}

describe('a selection in the LAPE mask layout', () => {
  test('read back by the restricted reader and imported, it is the same sets of neurons', async () => {
    const run = await scoredRun();
    const out = join(temporaryFolder(), 'mask.pt');
    const { languages, layers } = await exportLapeMask(run, out);
    const mask = (await readPytorch(out)) as readonly (readonly TorchTensor[])[];
    const { columns, rows } = await readScores(run, 'units');
    const expected = languages.map((tag) =>
      Array.from({ length: layers }, (_, layer) =>
        Array.from({ length: rows }, (_row, row) => row)
          .filter(
            (row) =>
              columns.get('type')![row] === 'neuron' &&
              columns.get('layer')![row] === layer &&
              String(columns.get('selected_tang2024')![row]).split(',').includes(tag),
          )
          .map((row) => columns.get('index')![row]),
      ),
    );
    expect(mask.map((own) => own.map((indices) => [...indices.values()]))).toEqual(expected);
    expect(mask.flat().every(({ dtype, shape }) => dtype === 'int64' && shape.length === 1)).toBe(true);
    expect(expected[2]![1]).toContain(7);
    expect(JSON.parse(readFileSync(`${out}.json`, 'utf8'))).toMatchObject({
      languages,
      rule: 'tang2024',
      layers,
    });

    const imported = join(temporaryFolder(), 'imported');
    await importSelection('lape-mask', [out], { out: imported });
    const back = await readScores(imported, 'units');
    const selected = (table: typeof back, name: string) =>
      Array.from({ length: table.rows }, (_, row) =>
        ['type', 'layer', 'index', name].map((column) => table.columns.get(column)![row]),
      ).filter(([type, , , tags]) => type === 'neuron' && tags !== '');
    expect(selected(back, 'selected_imported')).toEqual(
      selected({ columns, rows, metadata: {} }, 'selected_tang2024'),
    );
  });

  test('equal selections give equal bytes, and storages lie at multiples of 64', async () => {
    const folder = temporaryFolder();
    const value = [
      [BigInt64Array.of(1n, 2n)],
      [new BigInt64Array(0)],
      [BigInt64Array.of(0x0102030405060708n)],
    ];
    for (const name of ['a', 'b']) await writePytorch(join(folder, name), value);
    const [a, b] = ['a', 'b'].map((name) => readFileSync(join(folder, name)));
    expect(a!.equals(b!)).toBe(true);
    expect(a!.indexOf(Buffer.from(BigInt64Array.of(1n, 2n).buffer)) % 64).toBe(0);
    expect(a!.indexOf(Buffer.from(BigInt64Array.of(0x0102030405060708n).buffer)) % 64).toBe(0);
  });

  test('whatever is written is read back', async () => {
    const { value } = fc.letrec<{ value: WritableValue }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.string({ unit: 'grapheme' }),
        fc.double({ noNaN: true }),
        fc.integer(),
        fc.bigInt64Array({ maxLength: 5, min: -(2n ** 53n), max: 2n ** 53n }),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.string(), tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ) as fc.Arbitrary<WritableValue>,
    }));
    const plain = (read: unknown): unknown => {
      if (read instanceof TorchTensor) return BigInt64Array.from(read.values(), BigInt);
      if (read instanceof Map)
        return Object.fromEntries([...read].map(([key, entry]) => [key, plain(entry)]));
      return Array.isArray(read) ? read.map(plain) : read;
    };
    const path = join(temporaryFolder(), 'any.pt');
    await fc.assert(
      fc.asyncProperty(value, async (written) => {
        await writePytorch(path, written);
        expect(plain(await readPytorch(path))).toEqual(written);
      }),
      { numRuns: 60 },
    );
  });

  test('counts of which more fired than there were tokens are refused', async () => {
    const folder = temporaryFolder();
    const out = join(folder, 'run');
    const path = join(folder, 'activation.en.pt');
    await writePytorch(path, { n: 10, over_zero: BigInt64Array.of(11n) });
    await expect(importRun('lape-counts', [{ path, language: null }], { out })).rejects.toThrow(
      /unusable shape[\s\S]*\[1\]/,
    );
    await writePytorch(path, { n: 10.5, over_zero: BigInt64Array.of(1n) });
    await expect(importRun('lape-counts', [{ path, language: null }], { out })).rejects.toThrow(ImportError);
    expect(existsSync(out)).toBe(false);
  });
});

describe('tables as CSV', () => {
  test('have every row and column of the parquet files, nothing where a value is missing', async () => {
    const run = await scoredRun();
    const out = join(temporaryFolder(), 'csv');
    const files = await exportCsv(run, out);
    expect(files.map((file) => file.split('/').at(-1))).toEqual([
      'units.csv',
      'unit_languages.csv',
      'languages.csv',
    ]);
    const { languages } = (await readScores(run, 'units')).metadata;
    const counts = JSON.parse(languages!) as { tag: string; prompts: number; tokens: number }[];
    expect(counts.every(({ tokens }) => tokens > 0)).toBe(true);
    expect(readFileSync(join(out, 'languages.csv'), 'utf8')).toBe(
      [
        'tag,prompts,tokens',
        ...counts.map(({ tag, prompts, tokens }) => `${tag},${prompts},${tokens}`),
        '',
      ].join('\r\n'),
    );
    for (const name of ['units', 'unit_languages'] as const) {
      const { columns, rows } = await readScores(run, name);
      const lines = readFileSync(join(out, `${name}.csv`), 'utf8').split('\r\n');
      expect(lines).toHaveLength(rows + 2);
      const names = [...columns.keys()];
      const cell = (column: string, row: number) => columns.get(column)![row]!;
      const expected = (row: number) =>
        csvLine(
          names.map((column) => (Number.isNaN(cell(column, row)) ? null : cell(column, row))),
        ).trimEnd();
      expect(lines[0]).toBe(names.join(','));
      for (const row of [0, 1, 57, rows - 1]) expect(lines[row + 1]).toBe(expected(row));
    }
  });

  test('a table of several row groups has all of its rows, in order', async () => {
    const folder = temporaryFolder();
    const rows = ROW_GROUP_ROWS + 4097;
    const table = await writeTable(join(folder, 'units.parquet'), [
      { name: 'index', type: 'int32', values: Array.from({ length: rows }, (_, row) => row) },
      {
        name: 'delta',
        type: 'float64',
        values: Float64Array.from({ length: rows }, (_, row) => (row % 3) / 3 || Number.NaN),
      },
    ]);
    await writeRecord(join(folder, 'selection.json'), {}, { files: { 'units.parquet': table }, command: '' });
    const [file] = await exportCsv(folder, folder);
    const lines = readFileSync(file!, 'utf8').split('\r\n');
    expect(lines).toHaveLength(rows + 2);
    const wrong = lines
      .slice(1, -1)
      .filter((line, row) => line !== `${row},${row % 3 === 0 ? '' : (row % 3) / 3}`);
    expect(wrong).toEqual([]);
  });

  test('fields with commas, quotes and line breaks are quoted (RFC 4180)', () => {
    expect(csvLine(['a,b', 'say "so"', 'two\nlines', null, 1e-7, true, ''])).toBe(
      '"a,b","say ""so""","two\nlines",,1e-7,true,\r\n',
    );
  });
});

describe('pooled values under the names of TransformerLens', () => {
  test('are those of the run, a row a prompt', async () => {
    const run = await scoredRun();
    const out = join(temporaryFolder(), 'lens.safetensors');
    const names = await exportTransformerLens(run, out);
    expect(names).toContain('blocks.3.attn.hook_z');
    const file = await openSafetensors(out);
    expect(file.arrays.get('blocks.2.mlp.hook_post')).toEqual({ dtype: 'F16', shape: [40 * 4, 100] });
    expect(file.arrays.get('blocks.2.attn.hook_z')).toEqual({ dtype: 'F16', shape: [40 * 4, 6, 4] });
    const { manifest } = await openRun(run);
    expect(JSON.parse(file.metadata.languages!)).toEqual(manifest.plan.languages);
    expect(JSON.parse(file.metadata.items!)).toEqual(manifest.plan.items.map(({ id }) => id));
    const own = await openSafetensors(join(run, 'layers', '02.safetensors'));
    for (const [ours, theirs] of [
      ['mlp.items', 'mlp.hook_post'],
      ['head.items', 'attn.hook_z'],
    ] as const) {
      expect(await file.read(`blocks.2.${theirs}`)).toEqual(await own.read(ours));
    }
    await own.close();
    await file.close();
  });

  test('where a run keeps the neurons of shared experts alone, they have a name of their own', async () => {
    const run = join(temporaryFolder(), 'run');
    await capture({ checkpoint: tinyMixture(), probes: TINY_PROBES, out: run, threads: 1, limit: 2 });
    const names = await exportTransformerLens(run, join(temporaryFolder(), 'lens.safetensors'));
    expect(names.filter((name) => name.includes('.mlp.')).sort()).toEqual([
      'blocks.0.mlp.hook_post',
      'blocks.1.mlp.shared_experts.hook_post',
      'blocks.2.mlp.shared_experts.hook_post',
    ]);
  });
});

describe('what there is nothing of is refused with exit 2', () => {
  test('a run without pooled values, without scores, and a folder that is no run', async () => {
    const folds = await scoredRun('folds');
    const out = join(temporaryFolder(), 'out');
    await expect(exportTransformerLens(folds, out)).rejects.toThrow(/no pooled values[\s\S]*--keep items/);
    const unscored = join(temporaryFolder(), 'run');
    await writeSyntheticRun(unscored);
    await expect(exportCsv(unscored, out)).rejects.toThrow(/babelscope score/);
    await expect(exportLapeMask(unscored, out)).rejects.toThrow(RunError);
    const { code, stderr } = await babelscope(['export', temporaryFolder(), '--format', 'csv', '--out', out]);
    expect(stderr).toContain('remedy:');
    expect(code).toBe(2);
    expect(existsSync(out)).toBe(false);
  });
});
