import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readTable } from '../../src/store/files/table.js';
import { babelscope, babelscopeProcess, temporaryFolder } from '../support/command-line.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';

test('score of a run without pooled values names every score it cannot give, why, and how to get it; the rest is there', async () => {
  const run = join(temporaryFolder(), 'run');
  await writeSyntheticRun(run, { keep: 'folds', layers: 2, neurons: 20 });
  const { code, stderr } = await babelscope(['score', run]);
  expect(code).toBe(0);
  expect(stderr).toContain(
    'not computed: ap, auroc, twoWay, selectivity, mi, overlap of neurons; ' +
      'ap, auroc, twoWay, selectivity, mi, overlap, vectorShare of heads: ' +
      'the run keeps no pooled values; capture with --keep items\n',
  );
  const units = await readTable(join(run, 'units.parquet'));
  for (const column of ['lape', 'lape_se']) {
    expect(units.columns.get(column)!.every((value) => Number.isFinite(value))).toBe(true);
  }
  const asked = await babelscope(['score', run, '--scores', 'lape,mi', '--overwrite', '--json']);
  expect(JSON.parse(asked.stdout).skipped).toEqual(
    ['neuron', 'head', 'residual'].map((type) =>
      expect.objectContaining({ type, score: 'mi', reason: expect.any(String) }),
    ),
  );
});

test('draws and permutations are taken with full uncertainty, and refused without', async () => {
  const run = join(temporaryFolder(), 'run');
  await writeSyntheticRun(run, { layers: 1, neurons: 4, items: 20 });
  const few = ['--draws', '7', '--permutations', '9'];
  const { stdout } = await babelscope(['score', run, '--json', '--uncertainty', 'full', ...few]);
  expect(JSON.parse(stdout).resampling).toEqual({ draws: 7, permutations: 9, seed: 0 });
  const { columns } = await readTable(join(run, 'unit_languages.parquet'));
  const p = columns.get('ap_p') as number[];
  // (1 + n) / (1 + 9)
  expect(p.every((value) => Math.abs(value * 10 - Math.round(value * 10)) < 1e-6)).toBe(true);
  const refused = await babelscope(['score', run, ...few]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toMatch(/--draws, --permutations[\s\S]*add --uncertainty full/);
});

test('on a full disk scoring ends with what to do, and leaves a run and its earlier scores as they were', async () => {
  const run = join(temporaryFolder(), 'run');
  await writeSyntheticRun(run, { keep: 'folds', layers: 2, neurons: 200 });
  expect((await babelscope(['score', run, '--scores', 'lape'])).code).toBe(0);
  const before = await readdir(run);
  // The first numbers that are put aside take more.
  const { code, stderr } = await babelscopeProcess(['score', run], { fileSizeLimit: 8 });
  expect(code).not.toBe(0);
  expect(stderr).toMatch(/larger than the disk allows[\s\S]*another disk/);
  expect(await readdir(run)).toEqual(before);
  const { columns } = await readTable(join(run, 'units.parquet'));
  expect(columns.get('lape')).toHaveLength(2 * 206);
});
