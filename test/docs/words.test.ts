import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { CLI_PAGE, renderCliPage } from '../../scripts/cli-page.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const textOf = (path: string) => readFileSync(join(ROOT, path), 'utf8');

test('the drawing in docs/architecture.md names the rooms of src/, from the top to the ground', () => {
  const [, drawing] = /```text\n([\s\S]*?)```/.exec(textOf('docs/architecture.md'))!;
  const drawn = drawing!
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s/)[0]);
  const [, list] = /const ROOMS = \[([^\]]*)\]/.exec(textOf('test/architecture.test.ts'))!;
  expect(drawn).toEqual([...list!.matchAll(/'(\w+)'/g)].map(([, room]) => room));
});

test('docs/cli.md is what the commands say of themselves', async () => {
  expect(readFileSync(CLI_PAGE, 'utf8'), 'run `npx tsx scripts/make-cli-doc.ts`').toBe(await renderCliPage());
});

test('an adapter is a LoRA adapter: files of families do not use the word', () => {
  const families = readdirSync(join(ROOT, 'src/models/families'));
  const using = families.filter((name) => /adapter/i.test(textOf(`src/models/families/${name}`)));
  expect(using).toEqual([]);
});

test('the glossary is in alphabetical order and has no word twice', () => {
  const words = [...textOf('docs/glossary.md').matchAll(/^\| ([^|]+) \|/gm)]
    .map(([, word]) => word!)
    .filter((word) => word !== 'word' && word !== '---');
  expect(words.length).toBeGreaterThan(30);
  expect(words).toEqual([...new Set(words)].sort((a, b) => a.localeCompare(b, 'en')));
});

test('nothing in the project cites a document that is not in it', () => {
  const outside = /\b(SCORES|DESIGN|RUNTIME|METHODS|HOUSE)\.md\b/;
  const files = ['src', 'test', 'docs', 'scripts', 'bench', 'validation', 'examples'].flatMap((folder) =>
    readdirSync(join(ROOT, folder), { recursive: true })
      .map((name) => `${folder}/${name}`)
      .filter((path) => /\.(ts|mjs|md|py)$/.test(path) && path !== 'test/docs/words.test.ts'),
  );
  expect([...files, 'README.md', 'CONTRIBUTING.md'].filter((path) => outside.test(textOf(path)))).toEqual([]);
});
