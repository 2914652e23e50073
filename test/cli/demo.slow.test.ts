import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { babelscopeProcess, temporaryFolder } from '../support/command-line.js';
import { watchNetwork } from '../support/network-watch.js';

// Slow because it is the whole short demo.

test('the demo says what it does in a few lines, and asks nothing of the network', async () => {
  const out = join(temporaryFolder(), 'demo');
  const watch = watchNetwork();
  const { code, stdout, stderr } = await babelscopeProcess(['demo', '--out', out], { env: watch.env });
  expect(stderr).toMatch(/^1\/8 capture base on facts\n/);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^sft +\d of \d +\d of \d$/m);
  expect(stderr).toMatch(/left out .* the probe set pydocs .* --full/);
  const lines = stderr.trim().split('\n');
  expect(lines.length).toBeLessThan(30);
  const page = join(out, 'short/report.html');
  expect(lines.at(-1)).toBe(`Open ${page}`);
  expect(existsSync(page)).toBe(true);
  // Neither telemetry nor anything else: no connection, no look-up of a name, no file in the home folder.
  expect(watch.calls()).toEqual([]);
  expect(watch.files()).toEqual([]);
});
