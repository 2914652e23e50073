import { describe, expect, it } from 'vitest';
import { checkProbes } from '../../src/probes/index.js';
import { en, header, item, ja, writeProbes } from './write-probes.js';

describe('checkProbes', () => {
  it('reports a sound set with counts and without errors', async () => {
    const folder = writeProbes(header(), [item('a'), item('b'), { id: 'c', text: { en: 'One.' } }]);
    const report = await checkProbes(folder);
    expect(report).toMatchObject({
      folder,
      identity: { name: 'small' },
      languages: [
        { tag: 'en', script: 'Latn', prompts: 3 },
        { tag: 'ja', script: 'Jpan', prompts: 2 },
      ],
      items: 3,
      completeItems: 2,
      errors: [],
      errorCount: 0,
    });
    expect(report.warnings.map(({ kind }) => kind)).toEqual(['missing-language', 'single-language']);
  });

  it('finds all faults, not the first alone', async () => {
    const rows = [
      item('a', { ja: '' }),
      '{"id": "b"',
      item('c', { xx: 'one' }),
      item('a'),
      { id: 'd', text: { en: 'One.', uk: 'Один.' } },
      item('e'),
    ];
    const { errors, errorCount, items } = await checkProbes(writeProbes(header(), rows));
    expect(errors.map(({ details }) => details.what)).toEqual([
      'empty text',
      'malformed JSON',
      '"xx" is no known language tag',
      'two items have the id a',
      'language uk is not declared in probe.json',
    ]);
    expect(errorCount).toBe(5);
    expect(items).toBe(4);
  });

  it('goes on past a bad language in the header', async () => {
    const languages = [en, { ...ja, tag: 'xx' }, ja];
    const { errors, items } = await checkProbes(writeProbes(header({ languages }), [item('a')]));
    expect(errors.map(({ details }) => details.what)).toEqual(['"xx" is no known language tag']);
    expect(items).toBe(1);
  });

  it('keeps a hundred errors and counts all', async () => {
    const rows = Array.from({ length: 130 }, (_, index) => item(`i${index}`, { ja: '' }));
    const report = await checkProbes(writeProbes(header(), [item('good'), ...rows]));
    expect(report.errors).toHaveLength(100);
    expect(report.errorCount).toBe(130);
  });

  it('reports a set that cannot be read at all', async () => {
    const report = await checkProbes('/no/such/folder');
    expect(report.identity).toBeNull();
    expect(report.errors.map(({ details }) => details.where)).toEqual(['/no/such/folder']);
  });
});
