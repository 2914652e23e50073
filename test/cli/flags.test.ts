import { join } from 'node:path';
import { expect, test } from 'vitest';
import { babelscopeProcess, temporaryFolder } from '../support/command-line.js';
import { TINY_PROBES, tinyCheckpoint } from '../support/tiny-checkpoint.js';

test.each([
  ['of the command', { flags: ['--max-old-space-size=400', '--stack-size=900', '--expose-gc'] }],
  ['of the environment', { env: { NODE_OPTIONS: '--max-old-space-size=400 --trace-warnings' } }],
])('flags of Node %s stop no thread', async (_, options) => {
  const run = join(temporaryFolder(), 'run');
  const capture = ['capture', tinyCheckpoint(), '--probes', TINY_PROBES, '--limit', '3', '--out', run];
  for (const command of [capture, ['score', run]]) {
    const { code, stderr } = await babelscopeProcess(command, options);
    expect(stderr).not.toMatch(/error|remedy/);
    expect(code).toBe(0);
  }
});
