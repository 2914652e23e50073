import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { checkProbes, listBuiltinProbes, loadProbes } from '../../src/probes/index.js';

const FACT_LANGUAGES = 'en es fr ja ko pt uk zh ar de hi id ru sw th tr'.split(' ');

describe('the built-in probe sets', () => {
  it('are facts, pud and pydocs, with these counts', async () => {
    const sets = await listBuiltinProbes();
    expect(sets.map(({ name, kind, items, languages }) => [name, kind, items, languages.length])).toEqual([
      ['facts', 'fact', 1301, 16],
      ['pud', 'text', 1000, 17],
      ['pydocs', 'text', 400, 8],
    ]);
  });

  it.each(['facts', 'pud', 'pydocs'])(
    '%s has no fault, no warning and every item in every language',
    async (name) => {
      const { folder } = (await listBuiltinProbes()).find((set) => set.name === name)!;
      const report = await checkProbes(folder);
      expect(report.errors).toEqual([]);
      expect(report.warnings).toEqual([]);
      expect(report.completeItems).toBe(report.items);
    },
  );

  it('state their licence and bring a README', async () => {
    for (const { folder, licence } of await listBuiltinProbes()) {
      expect(licence).not.toBe('');
      expect(existsSync(join(folder, 'README.md'))).toBe(true);
    }
  });

  it('facts ask in 16 languages of at least 5 scripts, the demo’s eight first', async () => {
    const { languages } = await loadProbes('facts');
    expect(languages.map(({ tag }) => tag)).toEqual(FACT_LANGUAGES);
    expect(new Set(languages.map(({ script }) => script)).size).toBeGreaterThanOrEqual(5);
  });

  it('any first 100 facts hold every relation', async () => {
    const { items } = await loadProbes('facts', { limit: 100 });
    expect(new Set(items.map(({ meta }) => meta.relation)).size).toBe(7);
  });
});
