import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const README = readFileSync(fileURLToPath(new URL('../../README.md', import.meta.url)), 'utf8');

/** The prose of a page: no code, tables, pictures, headings or addresses. */
function prose(page: string): string {
  return page
    .replace(/```[\s\S]*?```/g, '')
    .replace(/^ {4}.*$/gm, '')
    .replace(/^\|.*$/gm, '')
    .replace(/^#.*$/gm, '')
    .replace(/!\[[^\]]*\]\([^)]*\)/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/`[^`]*`/g, 'code');
}

function sentences(page: string): string[][] {
  return prose(page)
    .replace(/^- /gm, '\n')
    .split(/\n\s*\n|(?<=[.:!?])\s+/)
    .map((sentence) => sentence.split(/\s+/).filter((word) => /\p{L}/u.test(word)))
    .filter((words) => words.length > 0);
}

test('README is one page: at most 115 lines and 6.2 kB', () => {
  expect(README.split('\n').length).toBeLessThanOrEqual(115);
  expect(Buffer.byteLength(README)).toBeLessThanOrEqual(6_200);
});

test('its sentences have under 20 words on average, and none more than 35', () => {
  const lengths = sentences(README).map((words) => words.length);
  expect(lengths.length).toBeGreaterThan(30);
  expect(lengths.reduce((sum, n) => sum + n, 0) / lengths.length).toBeLessThan(20);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(35);
});

test('it has the two commands', () => {
  expect(README).toMatch(/^ {4}npm ci && npm run demo\b/m);
  expect(README).toMatch(/^ {4}npm ci && npm test\b/m);
});

test('LAPE is spelt out where it first stands, and cut and floor are explained there', () => {
  expect(README).toMatch(/LAPE, the language activation probability entropy/);
  expect(README.indexOf('LAPE, the language')).toBe(README.indexOf('LAPE'));
  for (const word of ['cut', 'floor']) {
    const first = new RegExp(`\\b${word}\\b`).exec(README.replace(/!\[[^\]]*\]/g, ''))!.index;
    const text = README.replace(/!\[[^\]]*\]/g, '');
    expect(text.slice(first - 1, first + word.length + 1), word).toBe(`*${word}*`);
  }
});

test('the number that it reads off its figure stands there', () => {
  const [, after, before] = /leaves (\d+) of (\d+) such neurons/.exec(README)!;
  const figure = fileURLToPath(new URL('../../figures/facts/forest.svg', import.meta.url));
  expect(readFileSync(figure, 'utf8')).toContain(`${before} → ${after}`);
});
