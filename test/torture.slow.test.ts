import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';

// Slow because it prepares runs and comparisons for every trial; `npm run torture` tries each of them many times.
test('every trial of torture/ runs, and its first seed is survived', () => {
  const { status, stdout, stderr } = spawnSync('npx', ['tsx', 'torture/start.ts', '--tries', '1'], {
    cwd: `${import.meta.dirname}/..`,
    encoding: 'utf8',
  });
  expect(stdout, stderr).toMatch(/kills[\s\S]*signals[\s\S]*flips[\s\S]*servers[\s\S]*long loop/);
  expect(status, stdout).toBe(0);
});
