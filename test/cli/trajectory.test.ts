import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeAlignedRun } from '../support/aligned-runs.js';
import { babelscope, temporaryFolder } from '../support/command-line.js';

const CHECKPOINTS = ['base', 'rewarded-2', 'rewarded', 'tuned', 'tuned-2'];

test('compare --trajectory takes steps from labels and says trends, of alignment too; contrasts only if asked for', async () => {
  const folder = temporaryFolder();
  const runs = CHECKPOINTS.map((name) => join(folder, name));
  for (const [i, name] of CHECKPOINTS.entries()) await writeAlignedRun(runs[i]!, name);
  const labels = CHECKPOINTS.map((_, i) => `run@step${10 * i}`).join(',');
  const out = join(folder, 'out');
  const given = ['compare', ...runs, '--labels', labels, '--out', out, '--groups', 'two=de,ja'];
  const { code, stdout } = await babelscope([...given, '--trajectory']);
  expect(code).toBe(0);
  expect(stdout).toMatch(
    /Trends over training steps[\s\S]*residual +all +alignment_margin +1 +0\.0167 +[\d.]+ +(changed|undecided)/,
  );
  expect(stdout).not.toContain('Differences in differences');
  const { contrasts, runs: compared } = JSON.parse(readFileSync(join(out, 'comparison.json'), 'utf8'));
  expect(compared.map(({ step }: { step: number }) => step)).toEqual([0, 10, 20, 30, 40]);
  expect(contrasts).toEqual([]);

  const three = ['compare', ...runs.slice(0, 3), '--labels', labels.slice(0, labels.indexOf(',run@step30'))];
  const more = ['--groups', 'two=de,ja', '--trajectory', '--contrast', 'run@step10,run@step20'];
  const asked = await babelscope([...three, '--out', join(folder, 'three'), ...more]);
  expect(asked.stdout).toMatch(
    /Differences in differences[\s\S]*residual +two +run@step20 − run@step10 +alignment_mexa/,
  );
  const refused = await babelscope(['compare', ...runs, '--out', out, '--trajectory']);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain('a run of the trajectory has no step');
});
