import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RunError } from '../../src/errors.js';
import { fromFloat16, toFloat16 } from '../../src/store/files/float16.js';
import { openSafetensors, streamSafetensors } from '../../src/store/files/safetensors.js';
import { type NamedArray, writeSafetensors } from '../support/write-safetensors.js';
import { temporaryFolder } from './temporary-folder.js';

const REFERENCE = join(import.meta.dirname, '../fixtures/safetensors/arrays.safetensors');

/** The arrays that `test/reference/make_safetensors_fixtures.py` wrote. */
const REFERENCE_ARRAYS: NamedArray[] = [
  { name: 'zeta.u8', dtype: 'U8', shape: [5], data: Uint8Array.of(0, 1, 2, 3, 4) },
  { name: 'mlp.fire', dtype: 'U32', shape: [2, 2, 3], data: Uint32Array.from({ length: 12 }, (_, i) => i) },
  {
    name: 'mlp.items',
    dtype: 'F16',
    shape: [2, 3],
    data: toFloat16(Float32Array.of(0.1, -65504, Number.NaN, Infinity, 6e-8, 1.0009765625)).bits,
  },
  {
    name: 'head.norm.items',
    dtype: 'F32',
    shape: [4],
    data: Float32Array.of(0.1, Number.NaN, -Infinity, 3.4e38),
  },
  { name: 'steps', dtype: 'I64', shape: [2], data: BigInt64Array.of(-1n, 2n ** 62n) },
  { name: 'offsets', dtype: 'I32', shape: [2], data: Int32Array.of(-5, 5) },
  { name: 'codes', dtype: 'U16', shape: [2], data: Uint16Array.of(65535, 1) },
  { name: 'leer.größe', dtype: 'F32', shape: [0, 4], data: new Float32Array(0) },
  { name: 'scalar', dtype: 'F64', shape: [], data: Float64Array.of(2.5) },
];

describe('writeSafetensors', () => {
  it('writes the bytes that the reference implementation writes, in whatever order the arrays come', async () => {
    const path = join(await temporaryFolder(), 'arrays.safetensors');
    const { read, close } = await openSafetensors(REFERENCE);
    const sums: NamedArray = {
      name: 'mlp.sum',
      dtype: 'F64',
      shape: [2, 2, 3],
      data: (await read('mlp.sum')) as Float64Array,
    };
    await close();
    const expected = await readFile(REFERENCE);
    for (const arrays of [[sums, ...REFERENCE_ARRAYS], [...REFERENCE_ARRAYS, sums].reverse()]) {
      await writeSafetensors(path, arrays, { planSha256: 'abc' });
      expect((await readFile(path)).equals(expected)).toBe(true);
    }
  });

  it('begins every array at a multiple of its element size', async () => {
    await fc.assert(
      fc.asyncProperty(arraysArbitrary, async (arrays) => {
        const path = join(await temporaryFolder(), 'a');
        await writeSafetensors(path, arrays);
        const file = await readFile(path);
        const headerBytes = Number(file.readBigUint64LE(0));
        const header = JSON.parse(file.subarray(8, 8 + headerBytes).toString());
        for (const { name, data } of arrays) {
          expect((8 + headerBytes + header[name].data_offsets[0]) % data.BYTES_PER_ELEMENT).toBe(0);
        }
      }),
      { seed: 1, numRuns: 30 },
    );
  });

  it('refuses an array whose shape does not hold its elements, and a name used twice', async () => {
    const path = join(await temporaryFolder(), 'a');
    const array: NamedArray = { name: 'a', dtype: 'U8', shape: [2], data: new Uint8Array(3) };
    await expect(writeSafetensors(path, [array])).rejects.toThrow(RangeError);
    const fitting = { ...array, shape: [3] };
    await expect(writeSafetensors(path, [fitting, fitting])).rejects.toThrow(RangeError);
  });
});

describe('streamSafetensors', () => {
  it('writes arrays in the order given from values that come in any pieces', async () => {
    const path = join(await temporaryFolder(), 'a');
    async function* pieces() {
      yield Float32Array.of(1, 2);
      yield Float32Array.of(3);
      yield new Uint8Array(Float64Array.of(4).buffer);
    }
    const plan = [
      { name: '7', dtype: 'F32', shape: [3] },
      { name: '3', dtype: 'F64', shape: [1] },
    ] as const;
    await streamSafetensors(path, plan, pieces());
    const file = await openSafetensors(path);
    expect([...(await file.read('7'))]).toEqual([1, 2, 3]);
    expect([...(await file.read('3'))]).toEqual([4]);
    await file.close();
    const header = (await readFile(path)).subarray(8).toString();
    expect(header.indexOf('"7"')).toBeLessThan(header.indexOf('"3"'));
  });

  it('writes nothing when the values are not as many as planned', async () => {
    const folder = await temporaryFolder();
    const plan = [{ name: 'a', dtype: 'F32', shape: [3] }] as const;
    const writing = streamSafetensors(join(folder, 'a'), plan, [Float32Array.of(1, 2)]);
    await expect(writing).rejects.toThrow(/8 bytes for arrays that take 12/);
    expect(await readdir(folder)).toEqual([]);
  });
});

const arraysArbitrary = fc
  .uniqueArray(
    fc.tuple(
      fc.string({ minLength: 1 }),
      fc.constantFrom('U8', 'U32', 'F32', 'F64', 'F16'),
      fc.nat(4),
      fc.nat(5),
    ),
    {
      selector: ([name]) => name,
      maxLength: 6,
    },
  )
  .map((specs) =>
    specs
      .filter(([name]) => name !== '__metadata__')
      .map(([name, dtype, rows, columns]): NamedArray => {
        const shape = [rows, columns];
        const values = Array.from({ length: rows * columns }, (_, i) => i * 7 + rows);
        switch (dtype) {
          case 'U8':
            return { name, dtype, shape, data: Uint8Array.from(values) };
          case 'U32':
            return { name, dtype, shape, data: Uint32Array.from(values) };
          case 'F32':
            return { name, dtype, shape, data: Float32Array.from(values) };
          case 'F64':
            return { name, dtype, shape, data: Float64Array.from(values) };
          default:
            return { name, dtype, shape, data: Uint16Array.from(values) };
        }
      }),
  );

describe('openSafetensors', () => {
  it('reads what the reference implementation wrote', async () => {
    const file = await openSafetensors(REFERENCE);
    expect(file.metadata).toEqual({ planSha256: 'abc' });
    for (const { name, dtype, shape, data } of REFERENCE_ARRAYS) {
      expect(file.arrays.get(name)).toEqual({ dtype, shape });
      expect(await file.read(name)).toEqual(data);
    }
    expect(fromFloat16((await file.read('mlp.items')) as Uint16Array)[5]).toBe(1.0009765625);
    await file.close();
  });

  it('gives back what was written, whole, by rows and by columns', async () => {
    await fc.assert(
      fc.asyncProperty(arraysArbitrary, fc.nat(), fc.nat(), async (arrays, a, b) => {
        const path = join(await temporaryFolder(), 'a');
        await writeSafetensors(path, arrays);
        const file = await openSafetensors(path);
        expect([...file.arrays.keys()].sort()).toEqual(arrays.map(({ name }) => name).sort());
        for (const { name, shape, data } of arrays) {
          expect(await file.read(name)).toEqual(data);
          const [rows = 0, columns = 0] = shape;
          const first = a % (rows + 1);
          const count = b % (rows - first + 1);
          const expected = data.slice(first * columns, (first + count) * columns);
          expect(await file.readRange(name, first, count)).toEqual(expected);
          const start = a % (columns + 1);
          const end = start + (b % (columns - start + 1));
          const strip = data.filter((_: unknown, i: number) => i % columns >= start && i % columns < end);
          expect(await file.readColumns(name, start, end)).toEqual(strip);
        }
        await file.close();
      }),
      { seed: 1, numRuns: 50 },
    );
  });

  it('names the array that is not there, and those that are', async () => {
    const file = await openSafetensors(REFERENCE);
    await expect(file.read('mlp.sumsq')).rejects.toThrow(/no array "mlp\.sumsq"[\s\S]*mlp\.sum/);
    await expect(file.readRange('mlp.sum', 1, 2)).rejects.toThrow(RangeError);
    await expect(file.readColumns('mlp.sum', 1, 1e6)).rejects.toThrow(RangeError);
    await file.close();
  });

  it('refuses missing, damaged and foreign files with a RunError', async () => {
    const path = join(await temporaryFolder(), 'a');
    await expect(openSafetensors(path)).rejects.toThrow(RunError);
    await writeFile(path, await readFile(REFERENCE));
    await truncate(path, 850);
    await expect(openSafetensors(path)).rejects.toThrow(RunError);
    await expect(openSafetensors(join(REFERENCE, '../model.safetensors'))).rejects.toThrow(
      /type that babelscope does not write/,
    );
  });
});
