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
    file: await asyncBufferFromFile(join(out, 'score_changes.parquet')),
    columns: ['score', 'delta'],
  });
  // 400 neurons and 24 heads: seven scores in three languages, mutual information, the mean overlap, η² of language and ω²
  // of item; of heads the item share of hook_z too.
  expect(changes).toHaveLength(424 * (7 * 3 + 4) + 24);
  expect(changes.some(({ score, delta }) => score === 'ap' && delta > 0.1)).toBe(true);
});
