import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tokenizeGrid } from '../../src/capture/prompts/grid.js';
import { gridWarnings } from '../../src/capture/prompts/warnings.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { loadProbes } from '../../src/probes/load-probes.js';
import { loadTokenizer } from '../../src/tokenizer/load-tokenizer.js';
import { temporaryFolder, tinyCheckpoint } from '../support/tiny-checkpoint.js';

/** What is said of the balance of 20 items with `english` and `german` letters a prompt, each letter a token. */
async function balance(english: number, german: number): Promise<string[]> {
  const folder = temporaryFolder();
  const probe = {
    name: 'letters',
    version: '1',
    kind: 'text',
    licence: 'CC0-1.0',
    source: 'written for the tests',
  };
  const languages = [
    { tag: 'en', name: 'English', script: 'Latn', family: 'Indo-European' },
    { tag: 'de', name: 'German', script: 'Latn', family: 'Indo-European' },
  ];
  writeFileSync(join(folder, 'probe.json'), JSON.stringify({ ...probe, languages }));
  const items = Array.from({ length: 20 }, (_, i) => ({
    id: `item-${i}`,
    prompts: { en: { text: 'o'.repeat(english) }, de: { text: 'u'.repeat(german) } },
  }));
  writeFileSync(join(folder, 'items.jsonl'), items.map((item) => JSON.stringify(item)).join('\n'));
  const tokenizer = await loadTokenizer(await openCheckpoint(tinyCheckpoint()));
  const grid = await tokenizeGrid({
    probes: await loadProbes(folder),
    rule: { positions: 'all', countFirst: false, bos: 'auto' },
    tokenizer,
    vocab: 101,
    maxPositions: 64,
    signal: undefined,
  });
  return (await gridWarnings(grid, tokenizer)).filter((text) => text.startsWith('tokens are uneven'));
}

test('capture warns when max T_k / min T_k > 2, naming both languages; at 2 it does not', async () => {
  expect(await balance(6, 3)).toEqual([]);
  expect(await balance(7, 3)).toEqual([
    'tokens are uneven: en has 140, de 60 (2.3 times fewer); compare rates, not counts',
  ]);
  expect(await balance(3, 9)).toEqual([
    'tokens are uneven: de has 180, en 60 (3.0 times fewer); compare rates, not counts',
  ]);
});
