import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { babelscopeProcess } from '../support/command-line.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';
import { sharedFolder, temporaryFolder } from '../support/temporary-folder.js';

const PRELOAD = fileURLToPath(new URL('../support/faulty-fs.cjs', import.meta.url));

const run = join(sharedFolder(), 'run');
beforeAll(() => writeSyntheticRun(run, { layers: 2, neurons: 12, items: 12, folds: 4 }));

// `export` does not ask for a signal that stops it between batches; `score` does.
test.each(
  (['export', 'score'] as const).flatMap((command) =>
    (
      [
        ['SIGINT', 130],
        ['SIGTERM', 143],
        ['SIGHUP', 129],
      ] as const
    ).map(([signal, status]) => [command, signal, status] as const),
  ),
)('%s ends by %s with exit status %i', async (command, signal, status) => {
  const out = join(temporaryFolder(), 'out.safetensors');
  const [words, under] =
    command === 'score'
      ? [['score', run], run]
      : [['export', run, '--format', 'transformer-lens', '--out', out], join(out, '..')];
  const env = { TORTURE_FAULT: JSON.stringify({ under, at: 2, stays: false, code: signal }) };
  const outcome = await babelscopeProcess(words, { flags: ['--require', PRELOAD], env });
  expect(outcome.stderr).toMatch(/interrupted|stopp/);
  expect(outcome.code).toBe(status);
});
