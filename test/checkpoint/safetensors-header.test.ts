import { execFileSync } from 'node:child_process';
import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  MAX_HEADER_BYTES,
  parseSafetensorsHeader,
  readSafetensorsHeader,
} from '../../src/checkpoint/safetensors/header.js';
import { findStructureFault } from '../../src/checkpoint/safetensors/json-structure.js';
import { CheckpointError, RunError } from '../../src/errors.js';
import { rawSafetensors, safetensorsOf, temporaryFolder } from './checkpoint-folder.js';

async function fileOf(bytes: Uint8Array): Promise<string> {
  const path = join(await temporaryFolder(), 'model.safetensors');
  await writeFile(path, bytes);
  return path;
}

/** What reading a file says when it is refused. */
async function refusal(bytes: Uint8Array): Promise<string> {
  const path = await fileOf(bytes);
  const error: unknown = await readSafetensorsHeader(path).then(
    () => 'accepted',
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(CheckpointError);
  const { message, exitCode, details } = error as CheckpointError;
  expect(message).toContain(path);
  expect(exitCode).toBe(2);
  expect(details.remedy).toBeTruthy();
  return message;
}

const entry = (dtype: string, shape: unknown, data_offsets: unknown) => ({ dtype, shape, data_offsets });
const f32 = (shape: unknown, offsets: unknown) => entry('F32', shape, offsets);
const fileWith = (header: object, dataBytes: number) => rawSafetensors(JSON.stringify(header), dataBytes);

describe('readSafetensorsHeader', () => {
  it('returns name, type, shape and position in the file of every tensor', async () => {
    const path = join(import.meta.dirname, '../fixtures/safetensors/model.safetensors');
    const header = await readSafetensorsHeader(path);
    expect(header.metadata).toEqual({ format: 'pt' });
    expect(header.tensors.get('model.embed_tokens.weight')).toMatchObject({
      dtype: 'BF16',
      shape: [3, 2],
      byteLength: 12,
    });
    expect(header.tensors.get('quantised.weight')).toMatchObject({
      dtype: 'F8_E4M3',
      shape: [2, 2],
      byteLength: 4,
    });
    const { offset } = header.tensors.get('model.layers.0.mlp.up_proj.weight')!;
    const { readFileSync } = await import('node:fs');
    expect(readFileSync(path).readFloatLE(offset)).toBe(0.5);
  });

  it('accepts scalars, empty tensors and trailing spaces in the header', async () => {
    const text = `${JSON.stringify({ s: f32([], [0, 4]), e: f32([0, 7], [4, 4]) })}     `;
    const header = await readSafetensorsHeader(await fileOf(rawSafetensors(text, 4)));
    expect([...header.tensors.keys()]).toEqual(['s', 'e']);
  });

  it('leaves the length of a type it does not know unchecked', async () => {
    const header = await readSafetensorsHeader(
      await fileOf(fileWith({ x: entry('F2_NEW', [3], [0, 5]) }, 5)),
    );
    expect(header.tensors.get('x')?.dtype).toBe('F2_NEW');
  });

  it('throws the error class it is given', async () => {
    await expect(readSafetensorsHeader('/nowhere/x.safetensors', RunError)).rejects.toThrow(RunError);
  });

  it('refuses a file of fewer than eight bytes', async () => {
    expect(await refusal(new Uint8Array(7))).toMatch(/too short[\s\S]*7 bytes/);
    expect(await refusal(new Uint8Array(0))).toMatch(/too short/);
  });

  it('refuses a header that claims 10 GB, without allocating it', async () => {
    expect(await refusal(rawSafetensors('{}', 0, 10_000_000_000n))).toMatch(
      /header claims[\s\S]*10000000000 bytes/,
    );
    expect(await refusal(rawSafetensors('{}', 0, 2n ** 64n - 1n))).toMatch(/header claims/);
  });

  it('refuses a header longer than the file', async () => {
    expect(await refusal(rawSafetensors('{}', 0, BigInt(MAX_HEADER_BYTES)))).toMatch(
      /ends inside its header/,
    );
    expect(await refusal(rawSafetensors('{}', 0, 3n))).toMatch(/ends inside its header/);
  });

  it('refuses a truncated file', async () => {
    const path = await fileOf(safetensorsOf({ a: { dtype: 'F32', shape: [64], bytes: 256 } }));
    await truncate(path, 200);
    await expect(readSafetensorsHeader(path)).rejects.toThrow(/"a"[\s\S]*outside the file/);
  });

  it('refuses a header that is not a JSON object in UTF-8', async () => {
    expect(await refusal(rawSafetensors('[1]', 0))).toMatch(/does not begin with "\{"/);
    expect(await refusal(rawSafetensors('\ufeff{}', 0))).toMatch(/does not begin with "\{"/);
    expect(await refusal(rawSafetensors('', 0))).toMatch(/does not begin with "\{"/);
    expect(await refusal(rawSafetensors('{"a": ', 0))).toMatch(/not valid JSON/);
    expect(await refusal(rawSafetensors(Uint8Array.of(0x7b, 0x22, 0xff, 0xfe, 0x22), 0))).toMatch(
      /not valid UTF-8/,
    );
  });

  it('refuses a name used twice, also when spelt with escapes', async () => {
    const one = JSON.stringify(f32([1], [0, 4]));
    expect(await refusal(rawSafetensors(`{"a":${one},"a":${one}}`, 4))).toMatch(/"a" twice/);
    expect(await refusal(rawSafetensors(`{"a":${one},"\\u0061":${one}}`, 4))).toMatch(/"a" twice/);
    const twice = '{"a":{"dtype":"F32","shape":[1],"shape":[1],"data_offsets":[0,4]}}';
    expect(await refusal(rawSafetensors(twice, 4))).toMatch(/"a.shape" twice/);
  });

  it('refuses data outside the file', async () => {
    expect(await refusal(fileWith({ a: f32([2], [0, 8]) }, 4))).toMatch(/"a": its data lies outside/);
    expect(await refusal(fileWith({ a: f32([2], [2 ** 50, 2 ** 50 + 8]) }, 8))).toMatch(/outside/);
  });

  it('refuses data that ends before it begins', async () => {
    expect(await refusal(fileWith({ a: f32([1], [4, 0]) }, 4))).toMatch(
      /"a": its data ends before it begins/,
    );
  });

  it('refuses tensors that overlap, naming both', async () => {
    const header = { a: f32([2], [0, 8]), b: f32([2], [4, 12]) };
    expect(await refusal(fileWith(header, 12))).toMatch(/"a" and "b" overlap/);
  });

  it('refuses bytes that belong to no tensor', async () => {
    expect(await refusal(fileWith({ a: f32([1], [0, 4]), b: f32([1], [8, 12]) }, 12))).toMatch(
      /4 bytes before tensor "b"/,
    );
    expect(await refusal(fileWith({ a: f32([1], [4, 8]) }, 8))).toMatch(/4 bytes before tensor "a"/);
    expect(await refusal(fileWith({ a: f32([1], [0, 4]) }, 9))).toMatch(/5 bytes at the end/);
  });

  it('refuses a length that does not follow from shape and type', async () => {
    expect(await refusal(fileWith({ a: entry('BF16', [3, 2], [0, 16]) }, 16))).toMatch(
      /12 bytes for BF16 \[3, 2\]/,
    );
    expect(await refusal(fileWith({ a: f32([0], [0, 4]) }, 4))).toMatch(/0 bytes for F32/);
  });

  it.each([
    ['negative', [-1]],
    ['fractional', [0.5]],
    ['too large to be counted', [2 ** 53]],
    ['text', ['1']],
    ['null', null],
    ['a product that cannot be counted', [2 ** 30, 2 ** 30]],
    ['a product that cannot be counted, times zero', [2 ** 50, 2 ** 50, 0]],
  ])('refuses a shape that is %s', async (_, shape) => {
    expect(await refusal(fileWith({ a: f32(shape, [0, 4]) }, 4))).toMatch(/"a"/);
  });

  it.each([
    ['one offset', [0]],
    ['three offsets', [0, 4, 8]],
    ['a negative offset', [-4, 0]],
    ['a fractional offset', [0, 3.5]],
  ])('refuses %s', async (_, offsets) => {
    expect(await refusal(fileWith({ a: f32([1], offsets) }, 4))).toMatch(/"a": its entry in the header/);
  });

  it('refuses names, nesting and shapes made to exhaust whoever reads them, quickly and in a short message', async () => {
    const million = 1_000_000;
    const nested = `{"a":${'['.repeat(million)}${']'.repeat(million)}}`;
    const objects = `{"a":${'{"a":'.repeat(million)}1${'}'.repeat(million)}}`;
    const dimensions = `{"a":{"dtype":"F32","shape":[${'-1,'.repeat(million)}0],"data_offsets":[0,0]}}`;
    const longName = `{"${'a'.repeat(10 * million)}":1}`;
    for (const header of [nested, objects, dimensions, longName]) {
      expect((await refusal(rawSafetensors(header, 0))).length).toBeLessThan(1500);
    }
    const escapes = `{"${'\\n'.repeat(5 * million)}":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}`;
    expect((await readSafetensorsHeader(await fileOf(rawSafetensors(escapes, 0)))).tensors.size).toBe(1);
  });

  it('refuses metadata that is not text', async () => {
    expect(await refusal(rawSafetensors('{"__metadata__":{"a":1}}', 0))).toMatch(/__metadata__/);
  });

  it('refuses a folder, a missing file and a pipe, without waiting', async () => {
    const folder = await temporaryFolder();
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    await expect(readSafetensorsHeader(folder)).rejects.toThrow(CheckpointError);
    await expect(readSafetensorsHeader(join(folder, 'absent'))).rejects.toThrow(/ENOENT/);
    await expect(readSafetensorsHeader(pipe)).rejects.toThrow(/not a regular file/);
  });

  it('names a tensor called __proto__ like any other', async () => {
    const path = await fileOf(rawSafetensors(`{"__proto__":${JSON.stringify(f32([1], [0, 4]))}}`, 4));
    expect([...(await readSafetensorsHeader(path)).tensors.keys()]).toEqual(['__proto__']);
  });

  it('answers any damage to a header with tensors inside the file or a CheckpointError', () => {
    const file = safetensorsOf({
      'a.weight': { dtype: 'F32', shape: [2, 3], bytes: 24 },
      'b.weight': { dtype: 'BF16', shape: [5], bytes: 10 },
    });
    const header = file.subarray(8, file.byteLength - 34);
    const edits = fc.array(fc.tuple(fc.nat(header.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(edits, fc.nat(40), (changes, cut) => {
        const damaged = header.slice();
        for (const [at, byte] of changes) damaged[at] = byte;
        const fileBytes = file.byteLength - (cut < 30 ? 0 : cut);
        try {
          const { tensors } = parseSafetensorsHeader(damaged, { path: 'x', fileBytes });
          for (const { offset, byteLength } of tensors.values()) {
            expect(offset).toBeGreaterThanOrEqual(8 + damaged.length);
            expect(offset + byteLength).toBeLessThanOrEqual(fileBytes);
          }
        } catch (error) {
          expect(error).toBeInstanceOf(CheckpointError);
        }
      }),
      { numRuns: 2000, seed: 1 },
    );
  });
});

describe('findStructureFault', () => {
  const duplicate = (text: string) => findStructureFault(text, 64)?.path ?? null;

  it('is null for every JSON text that JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        expect(findStructureFault(JSON.stringify(JSON.parse(text)), 64)).toBeNull();
      }),
      { seed: 1 },
    );
  });

  it('finds a key repeated in one object, not the same key in two', () => {
    expect(duplicate('{"a":[{"b":1},{"b":2}],"c":{"b":"{:\\"b\\":"}}')).toBeNull();
    expect(duplicate('{"c":{"x":1},"a":[{"b":1,"b":2}]}')).toBe('a.b');
    expect(duplicate('{"a":{"b":{}},"a":1}')).toBe('a');
  });

  it('finds nesting beyond the depth it is given', () => {
    expect(findStructureFault('{"a":[[1]]}', 3)).toBeNull();
    expect(findStructureFault('{"a":[[1]]}', 2)).toEqual({ kind: 'too-deep', path: 'a' });
  });

  it('ends for any text, JSON or not', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom('"', '\\', '{', '}', '[', ']', ':', 'a', ',') }),
        (text) => {
          findStructureFault(text, 8);
        },
      ),
      { seed: 1 },
    );
  });
});
