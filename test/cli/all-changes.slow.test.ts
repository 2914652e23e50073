import { join } from 'node:path';
import { parquetReadObjects } from 'hyparquet';
import { asyncBufferFromFile } from 'hyparquet/src/node.js';
import { expect, test } from 'vitest';
import { babelscope, temporaryFolder } from '../support/command-line.js';

// Slow because it computes every score of every unit twice over, with its uncertainty.

test('compare --changes full writes the change of every score of every unit in every language', async () => {
  const out = join(temporaryFolder(), 'comparison');
  const runs = ['base', 'tuned'].map((name) => join(import.meta.dirname, '../fixtures/compare', name));
  const { code } = await babelscope(['compare', ...runs, '--out', out, '--changes', 'full']);
  expect(code).toBe(0);
  const changes = await parquetReadObjects({
    file: await asyncBufferFromFile(join(out, 'changes.parquet')),
    columns: ['score', 'change'],
  });
  // 400 neurons and 24 heads: seven scores in three languages or pairs of them, the mean overlap, mutual information, LAPE,
  // Gini, η² and ω² of language and of item; of heads both shares of hook_z too.
  expect(changes).toHaveLength(424 * (7 * 3 + 8) + 24 * 2);
  expect(changes.some(({ score, change }) => score === 'ap' && change > 0.1)).toBe(true);
});
