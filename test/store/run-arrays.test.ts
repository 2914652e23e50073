import { expect, test } from 'vitest';
import { ARRAYS_AS_WRITTEN, ITEM_ARRAYS, RUN_ARRAYS } from '../../src/store/arrays/run-arrays.js';
import { BLOCK_MEMORY_BYTES, unitBlocks } from '../../src/store/arrays/unit-layout.js';
import { documented } from '../support/documented.js';

test('docs/files.md documents every array of a run as the table of arrays describes it', async () => {
  const types = { F64: 'float64', F32: 'float32', F16: 'float16', U32: 'uint32' };
  expect(await documented('arrays')).toEqual(
    Object.entries(RUN_ARRAYS).map(([name, { dtype, axes, measure, about }]) => [
      `\`${name}\``,
      `${types[dtype]} [${axes.join(', ')}]`,
      measure,
      about,
    ]),
  );
});

test('every array is written once, wide elements before narrow ones', () => {
  expect([...ARRAYS_AS_WRITTEN].sort()).toEqual(Object.keys(RUN_ARRAYS).sort());
  const bytes = ARRAYS_AS_WRITTEN.map((name) => Number(RUN_ARRAYS[name].dtype.slice(1)));
  expect(bytes).toEqual([...bytes].sort((a, b) => b - a));
});

test('pooled values of a kind of unit are one number a unit', () => {
  for (const [type, name] of Object.entries(ITEM_ARRAYS)) {
    expect(RUN_ARRAYS[name].units).toBe(type);
    expect(RUN_ARRAYS[name].axes).toHaveLength(3);
  }
});

test('units are cut into the fewest blocks that fit into memory, each unit in one', () => {
  const perUnit = BLOCK_MEMORY_BYTES / 10;
  expect(unitBlocks({ unitStart: 5, unitEnd: 30 }, perUnit)).toEqual([
    { unitStart: 5, unitEnd: 13 },
    { unitStart: 13, unitEnd: 21 },
    { unitStart: 21, unitEnd: 30 },
  ]);
  expect(unitBlocks({ unitStart: 0, unitEnd: 10 }, perUnit)).toHaveLength(1);
  expect(unitBlocks({ unitStart: 0, unitEnd: 10 }, perUnit, 2)).toHaveLength(2);
});

test('a block has one unit at least, and no units make no blocks', () => {
  expect(unitBlocks({ unitStart: 0, unitEnd: 3 }, 2 * BLOCK_MEMORY_BYTES)).toHaveLength(3);
  expect(unitBlocks({ unitStart: 0, unitEnd: 3 }, 0)).toEqual([{ unitStart: 0, unitEnd: 3 }]);
  expect(unitBlocks({ unitStart: 4, unitEnd: 4 }, 1)).toEqual([]);
});
