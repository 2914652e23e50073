import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareRuns } from '../../src/compare/compare-runs.js';
import { COMPARISON_SCHEMA_VERSION, type Comparison } from '../../src/compare/comparison.js';
import { readComparison, writeComparison } from '../../src/compare/files.js';
import { OutputError, RunError } from '../../src/errors.js';
import { scoreRun } from '../../src/scores/engine/score-run.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/compare', import.meta.url));

let folder: string;
let comparison: Comparison;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'babelscope-comparison-'));
  comparison = await compareRuns(
    ['base', 'tuned'].map((name) => ({ folder: join(FIXTURES, name), label: name })),
    { fraction: 0.05 },
  );
  await writeComparison(join(folder, 'a'), comparison);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('comparison.json', () => {
  test('reads back as it was written', async () => {
    expect(await readComparison(join(folder, 'a'))).toEqual(comparison);
  });

  test('the same comparison gives the same bytes', async () => {
    await writeComparison(join(folder, 'b'), comparison);
    const bytes = (name: string) => readFile(join(folder, name, 'comparison.json'));
    expect(await bytes('b')).toEqual(await bytes('a'));
  });

  test('holds no NaN, and nothing of single units', async () => {
    const text = await readFile(join(folder, 'a', 'comparison.json'), 'utf8');
    expect(text).not.toMatch(/NaN|Infinity|eta2_item/);
    expect(JSON.parse(text)).toMatchObject(JSON.parse(JSON.stringify(comparison)));
  });

  const unsealed = (text: string) => text.replace(/,\s*"sha256": "[0-9a-f]{64}"\s*\}\n$/, '}\n');
  const VERSION = `"schemaVersion": ${COMPARISON_SCHEMA_VERSION}`;
  test.each([
    [
      'of a newer schema',
      (text: string) => unsealed(text.replace(VERSION, '"schemaVersion": 99')),
      'newer version',
    ],
    [
      'of an older schema',
      (text: string) => unsealed(text.replace(VERSION, '"schemaVersion": 2')),
      'older version',
    ],
    ['that lost its checksum', unsealed, 'does not end in its own checksum'],
    [
      'of which a word was changed',
      (text: string) => text.replace('"completeItems"', '"items2"'),
      'is damaged',
    ],
    ['cut off', (text: string) => text.slice(0, 1000), 'not valid JSON'],
  ])('%s is refused', async (_, spoil, message) => {
    const spoilt = join(folder, 'spoilt');
    await writeComparison(spoilt, comparison);
    const path = join(spoilt, 'comparison.json');
    await writeFile(path, spoil(await readFile(path, 'utf8')));
    await expect(readComparison(spoilt)).rejects.toThrow(RunError);
    await expect(readComparison(spoilt)).rejects.toThrow(message);
  });

  test('of an older schema: the command that makes it anew has the labels that the file has', async () => {
    const old = join(folder, 'old');
    await writeComparison(old, comparison);
    const path = join(old, 'comparison.json');
    const refusedAs = async (change: object) => {
      const text = JSON.stringify({ ...JSON.parse(await readFile(path, 'utf8')), ...change });
      await writeFile(path, text);
      return readComparison(old).catch((error: RunError) => error.details.remedy);
    };
    const command = (more: string) => `babelscope compare ${more} --out ${old}`;
    const runs = [{ label: 'base' }, { label: 'my run' }];
    expect(await refusedAs({ schemaVersion: 4, runs })).toContain(
      `\`${command("<run of base> <run of my run> --labels 'base,my run'")}\``,
    );
    expect(await refusedAs({ schemaVersion: 1, runs: [{ name: 'base' }] })).toContain(
      `\`${command('<run> <run> …')}\``,
    );
    expect(await refusedAs({ schemaVersion: 99, runs })).toContain('Update babelscope');
  });

  test('a folder without one is refused, and so is one that cannot be made', async () => {
    await expect(readComparison(join(folder, 'nowhere'))).rejects.toThrow('there is no comparison to read');
    const file = join(folder, 'file');
    await writeFile(file, '');
    await expect(writeComparison(join(file, 'below'), comparison)).rejects.toThrow(OutputError);
  });
});

test('tables of an earlier comparison in the folder are removed', async () => {
  const out = join(folder, 'again');
  await writeComparison(out, comparison);
  for (const name of ['changes.parquet', 'score_changes.parquet']) await writeFile(join(out, name), '');
  await writeComparison(out, comparison);
  expect(await readdir(out)).toEqual(['comparison.json']);
});

describe('reliability', () => {
  test('is what scores.json says of each run', async () => {
    const run = join(folder, 'run');
    await writeSyntheticRun(run, { layers: 2, neurons: 40 });
    const summary = await scoreRun(run);
    const { reliability, warnings } = await compareRuns([{ folder: run, label: 'base' }]);
    expect(warnings.join()).not.toContain('not scored');
    expect(reliability).toEqual(
      summary.reliability.map(({ type, score, halves, stepUp }) => ({
        label: 'base',
        type,
        score,
        halves,
        stepUp,
      })),
    );
  });

  test('of scores of a newer schema, or cut off, is refused', async () => {
    const run = join(folder, 'newer');
    await writeSyntheticRun(run, { layers: 1, neurons: 10, items: 8, folds: 4 });
    const summary = await scoreRun(run, { scores: ['lape'], splits: 2 });
    const text = JSON.stringify({ ...summary, schemaVersion: 99 });
    for (const [written, message] of [
      [text, /newer version of babelscope[\s\S]*babelscope score/],
      [text.slice(0, 40), /scores.json is not valid JSON/],
    ] as const) {
      await writeFile(join(run, 'scores.json'), written);
      const refused = compareRuns([{ folder: run, label: 'base' }]);
      await expect(refused).rejects.toThrow(RunError);
      await expect(refused).rejects.toThrow(message);
    }
  });

  test('of a run that was not scored is that of LAPE and ω²_language, with a warning', () => {
    const [first] = comparison.reliability;
    expect(first).toMatchObject({ label: 'base', type: 'neuron', score: 'lape' });
    expect(first!.halves).toBeGreaterThan(0.5);
    expect(first!.stepUp).toBeCloseTo((2 * first!.halves!) / (1 + first!.halves!), 12);
    expect(comparison.warnings).toContainEqual(expect.stringMatching(/^base, tuned: the run is not scored/));
  });
});
