import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { CHANGE_COLUMNS } from '../../src/compare/index.js';
import { FAMILIES } from '../../src/models/open-model.js';
import { proseOf, ROOT, readPage, sentencesOf, wordsIn } from './pages.js';

const README = readPage('README.md');

/** The code of the first block in a language. */
function blockOf(language: string): string {
  return new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'm').exec(README)![1]!;
}

describe('the README', () => {
  it('is one page: at most 120 lines and 6.5 kB', () => {
    expect(README.split('\n').length).toBeLessThanOrEqual(120);
    expect(Buffer.byteLength(README)).toBeLessThanOrEqual(6500);
  });

  it('has sentences of fewer than 20 words on average, none above 35', () => {
    const lengths = sentencesOf(README).map(wordsIn);
    expect(lengths.length).toBeGreaterThan(30);
    expect(lengths.reduce((a, b) => a + b, 0) / lengths.length).toBeLessThan(20);
    expect(sentencesOf(README).filter((sentence) => wordsIn(sentence) > 35)).toEqual([]);
  });

  it.each(['selected', 'cut', 'floor', 'hook'])(
    'says what "%s" is where its prose first names it',
    (word) => {
      const first = new RegExp(`\\b${word}s?\\b`).exec(proseOf(README))!;
      const text = proseOf(README);
      expect(text.slice(first.index - 1, first.index + first[0].length + 1)).toBe(`*${word}*`);
    },
  );

  it('spells LAPE out where it first stands', () => {
    expect(proseOf(README).split('LAPE')[0]).toMatch(/language activation probability entropy \($/);
  });

  it('gives the two commands as they are', () => {
    expect(README).toContain('\n    npm ci && npm run demo\n    npm ci && npm test\n');
  });

  it('counts the families that there are', () => {
    expect(README).toContain(`of ${FAMILIES.length} families`);
    expect(FAMILIES.length).toBeGreaterThan(20);
  });

  it('has a TypeScript snippet that runs', async () => {
    const folder = mkdtempSync(join(ROOT, 'test', 'docs', 'snippet-'));
    const path = join(folder, 'snippet.ts');
    const print = vi.spyOn(console, 'log').mockImplementation(() => undefined);
    try {
      writeFileSync(
        path,
        blockOf('ts')
          .replace("'babelscope'", "'../../../src/index.js'")
          .replace('path/to/base', join(ROOT, 'demo', 'checkpoints', 'base')),
      );
      await import(path);
      expect(print.mock.calls.map(([token]) => token).join('')).toContain('Der Hund bellt.');
      for (const [, value] of print.mock.calls) expect(value).toBeTypeOf('number');
    } finally {
      print.mockRestore();
      rmSync(folder, { recursive: true });
    }
  });

  it('has a Python snippet that reads columns which the table has', () => {
    const code = blockOf('python');
    const columns = CHANGE_COLUMNS.map(({ name }) => name);
    const used = [...code.matchAll(/changes\.(\w+)|sort_values\("(\w+)"\)/g)].map(([, a, b]) => a ?? b!);
    const listed = /\[\[(.*)\]\]/
      .exec(code)![1]!
      .split(', ')
      .map((name) => name.slice(1, -1));
    for (const name of [...used.filter((each) => each !== 'parquet'), ...listed])
      expect(columns).toContain(name);
  });
});
