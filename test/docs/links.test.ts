import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PAGES = [
  'README.md',
  'CONTRIBUTING.md',
  'demo/README.md',
  'examples/README.md',
  'notebooks/README.md',
  ...readdirSync(join(ROOT, 'docs')).map((name) => `docs/${name}`),
];

const textOf = (page: string) => readFileSync(join(ROOT, page), 'utf8');

test('every relative link of a page leads to a file', () => {
  const dead = PAGES.flatMap((page) =>
    [...textOf(page).matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)]
      .map(([, target]) => target!)
      .filter((target) => !existsSync(join(ROOT, dirname(page), target)))
      .map((target) => `${page} → ${target}`),
  );
  expect(dead).toEqual([]);
});

test('every source file that a page names is there', () => {
  const gone = PAGES.flatMap((page) =>
    [...textOf(page).matchAll(/`((?:src|test|scripts|bench|validation|figures)\/[\w./-]+)`/g)]
      .map(([, path]) => path!.replace(/[.]$/, ''))
      .filter((path) => !existsSync(join(ROOT, path)))
      .map((path) => `${page}: ${path}`),
  );
  expect(gone).toEqual([]);
});

test('no page is left out of the index of docs', () => {
  const index = textOf('docs/README.md');
  const missing = readdirSync(join(ROOT, 'docs')).filter(
    (name) => name !== 'README.md' && !index.includes(`(${name})`),
  );
  expect(missing).toEqual([]);
});
