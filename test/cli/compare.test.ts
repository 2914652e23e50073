import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { printComparison } from '../../src/cli/compare.js';
import { type Comparison, readComparison } from '../../src/compare/index.js';
import { babelscope, type Outcome, temporaryFolder } from '../support/command-line.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/', import.meta.url));
const RUNS = ['base', 'tuned', 'rewarded'];
let said: Outcome;
let comparison: Comparison;
let out: string;
beforeAll(async () => {
  out = await mkdtemp(join(tmpdir(), 'babelscope-test-'));
  const folders = RUNS.map((name) => join(FIXTURES, 'compare', name));
  said = await babelscope(['compare', ...folders, '--labels', RUNS.join(), '--out', out]);
  expect(said.code).toBe(0);
  comparison = await readComparison(out);
});
afterAll(() => rm(out, { recursive: true, force: true }));

test('a table has the selected units of each language, with their change in units and per cent of the reference', () => {
  const { stdout } = said;
  const [, table = ''] = stdout.split('Selected neurons by language, from base to each run:\n');
  const [head, ...rows] = table.split('\n\n')[0]!.split('\n');
  expect(head!.split(/\s+/)).toEqual(['language', ...RUNS]);
  // The profiles count the same units by layer.
  const { profiles } = comparison.units.find(({ type }) => type === 'neuron')!;
  const counts = profiles.map(({ counts: byLayer }) =>
    comparison.languages.map((_, k) => byLayer.reduce((sum, layer) => sum + layer[k]!, 0)),
  );
  expect(counts.flat().some((n) => n > 0)).toBe(true);
  const cell = (before: number, after: number) => {
    const change = after - before;
    const sign = change > 0 ? '+' : '';
    const share = before === 0 ? '' : `, ${sign}${Math.round((100 * change) / before)} %`;
    return `${after} (${sign}${change}${share})`;
  };
  expect(rows.map((row) => row.trim().split(/\s{2,}/))).toEqual(
    comparison.languages.map(({ tag }, k) => [
      tag,
      String(counts[0]![k]),
      ...counts.slice(1).map((of) => cell(counts[0]![k]!, of[k]!)),
    ]),
  );
});

test('warnings stand on standard error, each once', () => {
  const { stderr } = said;
  const lines = stderr.split('\n').filter((line) => line.startsWith('warning: '));
  expect(lines).toContainEqual(
    expect.stringMatching(/^warning: base, tuned, rewarded: the run is not scored/),
  );
  expect(new Set(lines).size).toBe(lines.length);
});

test('where no unit is selected there is no table of languages', async () => {
  const folders = await Promise.all(
    ['a', 'b'].map(async (name) => {
      const run = join(temporaryFolder(), name);
      const files = ['en', 'zh', 'fr'].map((tag) => join(FIXTURES, 'pytorch', `aya_${tag}.0.pth`));
      await babelscope(['import', '--format', 'lahis', '--kind', 'importances', ...files, '--out', run]);
      return run;
    }),
  );
  const { code, stdout } = await babelscope(['compare', ...folders, '--out', temporaryFolder()]);
  expect(code).toBe(0);
  expect(stdout).toContain('Changes from a:');
  expect(stdout).not.toContain('by language');
});

test('where nothing has a number the reasons are said instead of tables', () => {
  const none = { value: null, low: null, high: null };
  let printed = '';
  const spy = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  try {
    printComparison({
      ...comparison,
      changes: comparison.changes.map((c) => ({
        ...c,
        change: none,
        test: { ...c.test, note: 'no folds' },
      })),
      contrasts: comparison.contrasts.map((c) => ({ ...c, difference: none })),
    });
  } finally {
    spy.mockRestore();
  }
  expect(printed).toBe('Changes from base: not measured (no folds).\n');
});
