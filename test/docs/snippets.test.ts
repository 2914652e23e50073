import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { CHANGE_COLUMNS, MEASURES } from '../../src/compare/index.js';
import { UNIT_COLUMNS } from '../../src/scores/index.js';
import { RUN_ARRAYS } from '../../src/store/index.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const textOf = (page: string) => readFileSync(join(ROOT, page), 'utf8');
const blocksOf = (page: string, language: string) =>
  [...textOf(page).matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, code]) => code!,
  );

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(ROOT, 'test', 'docs', 'snippets-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a snippet on the bundled checkpoints, and gives what it prints. */
async function printed(code: string, name: string): Promise<unknown[][]> {
  const path = join(folder, `${name}.ts`);
  writeFileSync(
    path,
    code
      .replaceAll("'babelscope'", "'../../../src/index.js'")
      .replaceAll('path/to/', `${join(ROOT, 'demo', 'checkpoints')}/`)
      .replace(/(['`])runs\//g, `$1${folder}/runs/`),
  );
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined);
  try {
    await import(path);
    return log.mock.calls;
  } finally {
    log.mockRestore();
  }
}

const SNIPPETS = ['README.md', 'docs/library.md'].flatMap((page) =>
  blocksOf(page, 'ts').map((code, i) => ({ name: `${page.replace(/\W/g, '-')}-${i}`, code })),
);

test.each(SNIPPETS)('$name runs as it stands and prints something', async ({ name, code }) => {
  const calls = await printed(code, name);
  expect(calls.length).toBeGreaterThan(0);
  expect(calls.flat().filter((value) => value === undefined || Number.isNaN(value))).toEqual([]);
});

test('Python snippets read columns and arrays that there are', () => {
  const columns = [...UNIT_COLUMNS, ...CHANGE_COLUMNS].map(({ name }) => name);
  const code = blocksOf('README.md', 'python').join('\n');
  const named = [...code.matchAll(/sort_values\("(\w+)"\)/g)].map(([, name]) => name);
  const arrays = [...code.matchAll(/layer\["([\w.]+)"\]/g)].map(([, name]) => name);
  expect(named.length + arrays.length).toBeGreaterThan(1);
  expect(named.filter((name) => !columns.includes(name!))).toEqual([]);
  expect(arrays.filter((name) => !Object.hasOwn(RUN_ARRAYS, name!))).toEqual([]);
});

test('docs/comparing.md defines every measure, in their order', () => {
  const table = textOf('docs/comparing.md').split('## Quantities')[1]!.split('\n## ')[0]!;
  expect([...table.matchAll(/^\| `(\w+)` \|/gm)].map(([, measure]) => measure)).toEqual([...MEASURES]);
});
