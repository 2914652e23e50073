import {
  copyFileSync,
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { capture, mergeRun } from '../../src/capture/index.js';
import { compareRuns } from '../../src/compare/compare-runs.js';
import { readComparison, writeChanges, writeComparison } from '../../src/compare/index.js';
import { RunError, UsageError } from '../../src/errors.js';
import { exportCsv, exportTransformerLens } from '../../src/interchange/index.js';
import { readScores, scoreRun } from '../../src/scores/index.js';
import { Random } from '../../src/stats/index.js';
import { DamagedError, layerPath, openRun, partPath, verify } from '../../src/store/index.js';
import { babelscope } from '../support/command-line.js';
import { finishedFolders, flipOnce } from '../support/flips.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';
import { TINY_PROBES, temporaryFolder, tinyCheckpoint } from '../support/tiny-checkpoint.js';

const FLIPS = 60;

test(`of ${FLIPS} changed bytes, some in every kind of file, none goes unnoticed`, async () => {
  const targets = await finishedFolders();
  for (const folder of new Set(targets.map((one) => one.folder))) {
    expect((await verify(folder)).damaged).toEqual([]);
  }
  const random = new Random(0);
  const silent = [];
  for (let flip = 0; flip < FLIPS; flip++) {
    silent.push(...(await flipOnce(targets[flip % targets.length]!, random)));
  }
  expect(silent).toEqual([]);
});

const SMALL = { layers: 2, neurons: 12, items: 12, folds: 4 } as const;

function flip(path: string, at = -5): void {
  const bytes = readFileSync(path);
  bytes[(bytes.length + at) % bytes.length]! ^= 4;
  writeFileSync(path, bytes);
}

describe('a damaged run', () => {
  test('is refused by every verb that reads it, and made anew by the same capture', async () => {
    const out = join(temporaryFolder(), 'run');
    const request = { checkpoint: tinyCheckpoint(), probes: TINY_PROBES, threads: 1, out };
    await capture(request);
    const layer = layerPath(out, 1);
    const whole = readFileSync(layer);
    flip(layer);
    for (const work of [
      () => scoreRun(out),
      () => compareRuns([{ folder: out }]),
      () =>
        writeChanges(join(out, '../c'), [
          { folder: out, label: 'a' },
          { folder: out, label: 'b' },
        ]),
      () => exportTransformerLens(out, join(out, '../cache.safetensors')),
      () => mergeRun(out),
    ]) {
      await expect(work()).rejects.toThrow(DamagedError);
      await expect(work()).rejects.toThrow(
        /01\.safetensors[\s\S]*babelscope capture '?<checkpoint tiny>[\s\S]*--seed 0/,
      );
    }
    expect(readdirSync(out).sort()).toEqual(['layers', 'manifest.json', 'timings.json']);
    const [damaged] = (await verify(out)).damaged;
    expect(damaged).toMatchObject({ file: 'layers/01.safetensors', of: 'capture' });
    const told: unknown[] = [];
    await capture({ ...request, onDamaged: (damage) => told.push(damage.where) });
    expect(told).toEqual([layer]);
    expect(readFileSync(layer).equals(whole)).toBe(true);
    expect((await verify(out)).damaged).toEqual([]);
  });

  test('with a damaged manifest goes on with its parts, and ends with the same bytes', async () => {
    const out = join(temporaryFolder(), 'run');
    const request = { checkpoint: tinyCheckpoint(), probes: TINY_PROBES, threads: 1, out };
    await capture({ ...request, keepParts: true });
    const path = join(out, 'manifest.json');
    const whole = readFileSync(path);
    flip(path, 300);
    await expect(openRun(out)).rejects.toThrow(/manifest\.json/);
    let told = 0;
    await capture({ ...request, keepParts: true, onDamaged: () => told++, onProgress: () => expect.fail() });
    expect(told).toBe(1);
    expect(readFileSync(path).equals(whole)).toBe(true);
  });

  test('of which a part was damaged while it was unfinished: that part is computed again, no other', async () => {
    const out = join(temporaryFolder(), 'run');
    const request = { checkpoint: tinyCheckpoint(), probes: TINY_PROBES, threads: 1, out };
    await capture({ ...request, keepParts: true });
    const expected = readFileSync(layerPath(out, 0));
    await begun({ ...request, out: join(out, '../begun') });
    copyFileSync(join(out, '../begun/manifest.json'), join(out, 'manifest.json'));
    flip(partPath(out, 7, 20));
    await expect(mergeRun(out)).rejects.toThrow(/07-of-20[\s\S]*babelscope capture/);
    const told: string[] = [];
    await capture({ ...request, onDamaged: ({ where }) => told.push(where!) });
    expect(told).toEqual([partPath(out, 7, 20)]);
    expect(readFileSync(layerPath(out, 0)).equals(expected)).toBe(true);
  });

  test('layers of another run and layers that changed places are told apart from damage', async () => {
    const folder = temporaryFolder();
    const request = { checkpoint: tinyCheckpoint(), probes: TINY_PROBES, threads: 1 };
    const [a, b] = [join(folder, 'a'), join(folder, 'b')];
    await capture({ ...request, out: a });
    await capture({ ...request, out: b, countFirst: true });
    copyFileSync(layerPath(b, 0), layerPath(a, 0));
    await expect(scoreRun(a)).rejects.toThrow(/of another run or layer/);
    copyFileSync(layerPath(a, 2), layerPath(a, 0));
    await expect(scoreRun(a)).rejects.toThrow(/of another run or layer[\s\S]*layer 0[\s\S]*layer 2/);
  });
});

/** A run as it is before it is merged. */
async function begun(request: Parameters<typeof capture>[0]): Promise<void> {
  await capture({ ...request, shard: { index: 1, count: 20 } });
}

describe('files of two writings beside each other are refused, with the command', () => {
  test('tables of one seed and scores.json of another; scores of another capture', async () => {
    const folder = temporaryFolder();
    const [run, seven, other] = ['run', 'seven', 'other'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    await writeSyntheticRun(run, SMALL);
    await scoreRun(run, { splits: 2, threads: 1 });
    cpSync(run, seven, { recursive: true });
    await scoreRun(seven, { splits: 2, threads: 1, seed: 7 });
    for (const name of ['units', 'unit_languages'] as const) {
      const own = readFileSync(join(run, `${name}.parquet`));
      copyFileSync(join(seven, `${name}.parquet`), join(run, `${name}.parquet`));
      await expect(readScores(run, name)).rejects.toThrow(/of another writing[\s\S]*babelscope score/);
      await expect(exportCsv(run, join(folder, 'csv'))).rejects.toThrow(DamagedError);
      expect(existsSync(join(folder, 'csv'))).toBe(false);
      expect((await verify(run)).damaged.map(({ file }) => file)).toEqual([`${name}.parquet`]);
      writeFileSync(join(run, `${name}.parquet`), own);
    }
    await writeSyntheticRun(other, { ...SMALL, model: 2 });
    for (const name of ['units.parquet', 'unit_languages.parquet', 'scores.json']) {
      copyFileSync(join(run, name), join(other, name));
    }
    await expect(readScores(other, 'units')).rejects.toThrow(/of another capture/);
    expect((await verify(other)).damaged).toMatchObject([{ file: 'scores.json', of: 'score' }]);
    rmSync(join(other, 'scores.json'));
    await expect(readScores(other, 'units')).rejects.toThrow(/lies without scores\.json/);
    expect((await verify(other)).damaged.map(({ file }) => file)).toEqual([
      'units.parquet',
      'unit_languages.parquet',
    ]);
  });

  test('changes.parquet of one comparison and comparison.json of another', async () => {
    const folder = temporaryFolder();
    const runs = [];
    for (const [i, label] of ['a', 'b', 'c'].entries()) {
      await writeSyntheticRun(join(folder, label), { ...SMALL, noise: i + 1, model: 1 });
      runs.push({ folder: join(folder, label), label });
    }
    const [one, two] = [join(folder, 'one'), join(folder, 'two')];
    for (const [out, pair] of [
      [one, [runs[0]!, runs[1]!]],
      [two, [runs[0]!, runs[2]!]],
    ] as const) {
      const compared = await compareRuns(pair, { splits: 2 });
      await writeComparison(out, compared);
      await expect(writeChanges(out, [runs[1]!, runs[2]!], { threads: 1 })).rejects.toThrow(/of other runs/);
      await writeChanges(out, pair, { units: compared.units, threads: 1 });
    }
    const command = /--labels a,b[\s\S]*--changes basic/;
    copyFileSync(join(two, 'changes.parquet'), join(one, 'changes.parquet'));
    await expect(readComparison(one)).rejects.toThrow(command);
    for (const words of [
      ['report', one, '--out', join(folder, 'report')],
      ['export', one, '--format', 'csv', '--out', join(folder, 'csv')],
    ]) {
      const { code, stderr } = await babelscope(words);
      expect(code).toBe(2);
      expect(stderr).toMatch(command);
    }
    const { code, stdout } = await babelscope(['verify', one, '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stdout).damaged).toMatchObject([
      { file: 'changes.parquet', of: 'compare', command: expect.stringMatching(command) },
    ]);
    // Killed after the comparison was written and before its table was listed.
    await writeComparison(two, await compareRuns([runs[0]!, runs[2]!], { splits: 2 }));
    renameSync(join(one, 'changes.parquet'), join(two, 'changes.parquet'));
    await expect(readComparison(two)).rejects.toThrow(/does not belong to comparison\.json/);
  });
});

test('finer scores are not replaced by coarser ones unless one says so', async () => {
  const run = join(temporaryFolder(), 'run');
  await writeSyntheticRun(run, SMALL);
  const full = { uncertainty: 'full', draws: 4, permutations: 5, splits: 3, threads: 1 } as const;
  await scoreRun(run, full);
  const before = readFileSync(join(run, 'units.parquet'));
  for (const [coarser, message] of [
    [{ splits: 3 }, /4 bootstrap draws, 5 permutations[\s\S]*--uncertainty full --draws 4 --permutations 5/],
    [{ ...full, permutations: 4 }, /5 permutations/],
    [{ ...full, splits: 2 }, /3 random halves/],
    [{ ...full, scores: ['lape'] }, /ap of neurons/],
  ] as const) {
    const scoring = scoreRun(run, { threads: 1, ...coarser });
    await expect(scoring).rejects.toThrow(UsageError);
    await expect(scoring).rejects.toThrow(message);
  }
  expect(readFileSync(join(run, 'units.parquet')).equals(before)).toBe(true);
  await scoreRun(run, { ...full, draws: 6 });
  await scoreRun(run, { scores: ['lape'], threads: 1, splits: 3, overwrite: true });
  expect((await verify(run)).damaged).toEqual([]);
});

test('verify says how many files are whole, and refuses a folder that holds nothing of ours', async () => {
  const run = join(temporaryFolder(), 'run');
  await writeSyntheticRun(run, SMALL);
  const whole = await babelscope(['verify', run]);
  expect([whole.code, whole.stdout]).toEqual([0, '3 files are what was written\n']);
  flip(layerPath(run, 0));
  const damaged = await babelscope(['verify', run]);
  expect(damaged.code).toBe(2);
  expect(damaged.stdout).toMatch(/layers\/00\.safetensors +capture/);
  expect(damaged.stderr).toMatch(/1 of 3 files[\s\S]*babelscope capture/);
  await expect(verify(temporaryFolder())).rejects.toThrow(RunError);
});
