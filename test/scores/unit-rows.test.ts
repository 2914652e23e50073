import { join } from 'node:path';
import { expect, test } from 'vitest';
import { SCORES_SCHEMA_VERSION, unitRows } from '../../src/scores/index.js';
import { writeRecord } from '../../src/store/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { writeTable } from '../support/write-table.js';

test('units come as rows: languages of a policy as a list, empty for none; missing numbers are null', async () => {
  const folder = temporaryFolder();
  const table = await writeTable(
    join(folder, 'units.parquet'),
    [
      { name: 'type', type: 'string', values: ['neuron', 'head'] },
      { name: 'layer', type: 'int32', values: [3, 4] },
      { name: 'index', type: 'int32', values: [17, 2] },
      { name: 'expert', type: 'int32', values: [1, null] },
      { name: 'dead', type: 'boolean', values: [false, null] },
      { name: 'top_language', type: 'string', values: ['uk', null] },
      { name: 'selected_tang2024', type: 'string', values: ['ja,uk', ''] },
      { name: 'lape', type: 'float64', values: [0.5, Number.NaN] },
    ],
    { schema: 'babelscope/units', schema_version: String(SCORES_SCHEMA_VERSION) },
  );
  const files = { 'units.parquet': table };
  await writeRecord(join(folder, 'selection.json'), {}, { files, command: '' });
  const rows = [];
  for await (const row of unitRows(folder)) rows.push(row);
  expect(rows).toEqual([
    {
      type: 'neuron',
      layer: 3,
      index: 17,
      expert: 1,
      dead: false,
      topLanguage: 'uk',
      selected: { tang2024: ['ja', 'uk'] },
      values: { lape: 0.5 },
    },
    {
      type: 'head',
      layer: 4,
      index: 2,
      expert: null,
      dead: null,
      topLanguage: null,
      selected: { tang2024: [] },
      values: { lape: null },
    },
  ]);
});
