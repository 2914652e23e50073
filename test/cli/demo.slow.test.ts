import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { babelscopeProcess, temporaryFolder } from '../support/command-line.js';

// Slow because it is the whole short demo.

test('the demo says what it does in a few lines, what it left out, and last what to open', async () => {
  const out = join(temporaryFolder(), 'demo');
  const { code, stdout, stderr } = await babelscopeProcess(['demo', '--out', out]);
  expect(stderr).toMatch(/^1\/8 capture base on facts\n/);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^sft +\d of \d +\d of \d$/m);
  expect(stderr).toMatch(/left out .* the probe set pydocs .* --full/);
  const lines = stderr.trim().split('\n');
  expect(lines.length).toBeLessThan(30);
  const page = join(out, 'short/report.html');
  expect(lines.at(-1)).toBe(`Open ${page}`);
  expect(existsSync(page)).toBe(true);
});
