import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { OutputError } from '../../src/errors.js';
import { Scratch, ScratchArray } from '../../src/store/files/scratch.js';
import { temporaryFolder } from './temporary-folder.js';

test('columns are read back in any ranges, whatever order and blocks they were set in; others are NaN', async () => {
  const scratch = new Scratch(await temporaryFolder());
  const [double, single] = [new ScratchArray(scratch, 2), new ScratchArray(scratch, 1, 'single')];
  // Columns 5 … 8, then 0 … 2, of rows that begin with 0 and 100.
  double.set(5, Float64Array.of(5, 6, 7, 8, 105, 106, 107, 108));
  expect(single.set(0, Float64Array.of(0.1, Number.NaN, 3))).toEqual(Float32Array.of(0.1, Number.NaN, 3));
  double.set(0, Float64Array.of(0, 1, 2, 100, 101, 102));
  const of = (row: number, column: number) =>
    column < 3 || (column >= 5 && column < 9) ? 100 * row + column : Number.NaN;
  for (let start = 0; start < 10; start++) {
    for (let end = start; end <= 10; end++) {
      const width = end - start;
      const expected = Float64Array.from({ length: 2 * width }, (_, i) =>
        of(Math.floor(i / width), start + (i % width)),
      );
      expect(double.read(start, end)).toEqual(expected);
    }
  }
  expect(single.read(0, 4)).toEqual(Float32Array.of(0.1, Number.NaN, 3, Number.NaN));
  scratch.close();
});

test('nothing of it is seen in the folder; a folder that is not there is an OutputError', async () => {
  const folder = await temporaryFolder();
  const scratch = new Scratch(folder);
  new ScratchArray(scratch, 1).set(0, new Float64Array(1000));
  expect(await readdir(folder)).toEqual([]);
  scratch.close();
  expect(() => new Scratch(join(folder, 'absent'))).toThrow(OutputError);
});
