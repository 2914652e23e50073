import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { ImportError } from '../../src/errors.js';
import type { PickleValue } from '../../src/interchange/pytorch/pickle-objects.js';
import { readPytorch } from '../../src/interchange/pytorch/read-pytorch.js';
import { TorchTensor } from '../../src/interchange/pytorch/tensor.js';
import { unpickle } from '../../src/interchange/pytorch/unpickle.js';
import { temporaryFolder } from '../support/command-line.js';

const FIXTURES = fileURLToPath(new URL('../fixtures/pytorch/', import.meta.url));
const EXPECTED = JSON.parse(readFileSync(join(FIXTURES, 'expected.json'), 'utf8')) as Record<string, unknown>;

/** As make_pytorch.py wrote down what it saved. */
function plain(value: PickleValue): unknown {
  if (value instanceof TorchTensor) {
    return {
      dtype: value.dtype,
      shape: value.shape,
      values: Array.from(value.values(), (x) =>
        Number.isNaN(x) ? null : Number.isFinite(x) ? x : x > 0 ? 'inf' : '-inf',
      ),
    };
  }
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, v]) => [String(key), plain(v)]));
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'bigint') return String(value);
  return value === Number.POSITIVE_INFINITY ? 'inf' : value;
}

describe('what torch.save wrote is read as torch.load reads it', () => {
  for (const [name, expected] of Object.entries(EXPECTED)) {
    if (name === 'too-large-int64') continue;
    test(name, async () => {
      const file = existsSync(join(FIXTURES, `${name}.pt`)) ? `${name}.pt` : `${name}.pth`;
      expect(plain(await readPytorch(join(FIXTURES, file)))).toEqual(expected);
    });
  }

  test('an int64 beyond 2^53 is an error when its value is asked for', async () => {
    const value = (await readPytorch(join(FIXTURES, 'too-large-int64.pt'))) as TorchTensor;
    expect(value.dtype).toBe('int64');
    expect(() => value.values()).toThrow('9007199254740993');
  });
});

describe('what is no tensor, dict, list, number or string is refused by name, and nothing is executed', () => {
  const refused: Readonly<Record<string, string>> = {
    'refused-os-system': 'posix.system',
    'refused-set': 'set',
    'refused-bytes': 'SHORT_BINBYTES',
    'refused-numpy': 'numpy._core.multiarray.scalar',
    'refused-module': 'torch.nn.modules.linear.Linear',
    'refused-complex': 'torch.ComplexFloatStorage',
  };
  for (const [name, named] of Object.entries(refused)) {
    test(name, async () => {
      const read = readPytorch(join(FIXTURES, `${name}.pt`));
      await expect(read).rejects.toThrow(ImportError);
      await expect(read).rejects.toThrow(named);
      await expect(read).rejects.toThrow(/at byte \d+ of data\.pkl/);
      await expect(read).rejects.toThrow(`${name}.pt`);
      expect(readdirSync('.')).not.toContain('babelscope-was-fooled');
    });
  }

  test('the format before PyTorch 1.6, with the way to mend it', async () => {
    await expect(readPytorch(join(FIXTURES, 'legacy.pt'))).rejects.toThrow('torch.save(torch.load(f), f)');
  });
});

const text = (value: string) => [...Buffer.from(value)];
const SHORT_TEXT = (value: string) => [0x8c, value.length, ...text(value)];
const int = (value: number) => [0x4a, ...new Uint8Array(Int32Array.of(value).buffer)];
const global = (name: string) => [0x63, ...text(`${name.replace(/\.([^.]+)$/, '\n$1')}\n`)];
const tuple = (...items: readonly number[][]) => [0x28, ...items.flat(), 0x74];
const STOP = 0x2e;
const load = (bytes: readonly number[]) =>
  unpickle(Uint8Array.from([0x80, 2].concat(bytes)), new Map([['0', new Uint8Array(24)]]), 'hostile.pt');

/** Six float32. */
const storage = (count = 6, key = '0', location = 'cpu') => [
  ...tuple(
    SHORT_TEXT('storage'),
    global('torch.FloatStorage'),
    SHORT_TEXT(key),
    SHORT_TEXT(location),
    int(count),
  ),
  0x51,
];
const tensor = (
  from: readonly number[],
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
) => [
  ...global('torch._utils._rebuild_tensor_v2'),
  ...tuple([...from], int(offset), tuple(...shape.map(int)), tuple(...strides.map(int)), [0x89], [0x4e]),
  0x52,
];

const storageTensor = (key: string) => tensor(storage(6, key), 0, [6], [1]);

test('tensors that were saved on a GPU, as released counts may be, are read like any other', () => {
  const saved = load([...tensor(storage(6, '0', 'cuda:0'), 0, [2, 3], [3, 1]), STOP]) as TorchTensor;
  expect(saved.shape).toEqual([2, 3]);
  expect(saved.values()).toEqual(new Float64Array(6));
});

describe('hostile pickles are refused', () => {
  const cases: Readonly<Record<string, [readonly number[], RegExp]>> = {
    'a call of os.system': [
      [...global('os.system'), ...tuple(SHORT_TEXT('id')), 0x52, STOP],
      /global os\.system at byte 2/,
    ],
    'a name put together on the stack': [
      [...SHORT_TEXT('builtins'), ...SHORT_TEXT('eval'), 0x93, STOP],
      /global builtins\.eval/,
    ],
    'a global that is never called': [[...global('os.system'), 0x30, ...int(1), STOP], /os\.system/],
    'a storage class as a value': [[...global('torch.FloatStorage'), STOP], /torch\.FloatStorage as a value/],
    'a storage class that is called': [
      [...global('torch.FloatStorage'), ...tuple(), 0x52, STOP],
      /call of torch\.FloatStorage/,
    ],
    'a call of a string': [[...SHORT_TEXT('os.system'), ...tuple(), 0x52, STOP], /a call/],
    'the prototype of a dict as a class': [[...global('torch.__proto__'), STOP], /torch\.__proto__/],
    'a persistent id of another kind': [[...tuple(SHORT_TEXT('module')), 0x51, STOP], /no storage/],
    'a storage that is not in the file': [[...storage(6, '1'), STOP], /"1" of 6 float32 has no bytes/],
    'a storage of more elements than bytes': [[...storage(7), STOP], /7 float32 has 24 bytes/],
    'a view beyond the end': [
      [...tensor(storage(), 1, [2, 3], [3, 1]), STOP],
      /reaches element 6 of a storage of 6/,
    ],
    'strides beyond the end': [[...tensor(storage(), 0, [2, 2], [6, 1]), STOP], /reaches element 7/],
    'a negative stride': [[...tensor(storage(), 5, [2, 3], [-3, 1]), STOP], /whole numbers from 0 on/],
    'a negative offset': [[...tensor(storage(), -1, [1], [1]), STOP], /whole numbers from 0 on/],
    'a negative size': [[...tensor(storage(), 0, [-1], [1]), STOP], /whole numbers from 0 on/],
    'more elements than fit': [[...tensor(storage(), 0, [2 ** 30, 2 ** 30], [0, 0]), STOP], /elements/],
    'strides for other axes': [[...tensor(storage(), 0, [2, 3], [1]), STOP], /malformed/],
    'a tensor of a list': [[...tensor([0x5d], 0, [1], [1]), STOP], /malformed/],
    'a list that contains itself': [[0x5d, 0x71, 0, 0x68, 0, 0x61, STOP], /contains itself/],
    'a dict that contains itself': [[0x7d, 0x71, 0, ...int(1), 0x68, 0, 0x73, STOP], /contains itself/],
    'lists of lists that double thirty times': [
      [
        0x5d,
        ...Array.from({ length: 30 }, () => [0x71, 0, 0x30, 0x5d, 0x68, 0, 0x61, 0x68, 0, 0x61]).flat(),
        STOP,
      ],
      /more than 10000000 values/,
    ],
    'lists three hundred thousand deep': [
      [...new Array<number>(300_000).fill(0x5d), ...new Array<number>(299_999).fill(0x61), STOP],
      /64 deep/,
    ],
    'half a million dicts': [
      [...new Array<number>(500_000).fill(0x7d), STOP],
      /more than 400000 lists, tuples, dicts and tensors/,
    ],
    'half a million marks': [[...new Array<number>(500_000).fill(0x28), STOP], /more than 400000/],
    'an integer of 65 bytes': [[0x8a, 65, ...new Array<number>(65).fill(1), STOP], /integer of 65 bytes/],
    'a view that shows six elements 2^27 times': [
      [...tensor(storage(), 0, [2 ** 27], [0]), STOP],
      /134217728 elements in a storage of 6/,
    ],
    'views that together show six elements ten million times': [
      [
        0x5d,
        ...Array.from({ length: 20 }, () => [...tensor(storage(), 0, [2 ** 19], [0]), 0x61]).flat(),
        STOP,
      ],
      /10485760 elements of tensors in 24 bytes/,
    ],
    'a memo that was never set': [[0x68, 9, STOP], /nothing is remembered under 9/],
    'an empty stack': [[STOP], /the stack is empty/],
    'a pop without a mark': [[0x31, STOP], /there is no mark/],
    'a key without a value': [[0x7d, 0x28, ...int(1), 0x75, STOP], /key without value/],
    'a list as a key': [[0x7d, 0x5d, ...int(1), 0x73, STOP], /dict key/],
    'appending to a number': [[...int(1), ...int(2), 0x61, STOP], /no list/],
    'a string longer than the file': [[0x58, 0xff, 0xff, 0xff, 0x7f, 0x61, STOP], /ends in the middle/],
    'a string of 2^63 bytes': [[0x8d, 0, 0, 0, 0, 0, 0, 0, 0x80, STOP], /ends in the middle/],
    'an integer of a million bytes': [[0x8b, 0x40, 0x42, 0x0f, 0, STOP], /integer of 1000000 bytes/],
    'a string that is not UTF-8': [[0x8c, 1, 0xff, STOP], /not UTF-8/],
    'no end': [[...int(1)], /ends in the middle/],
    'an unknown opcode': [[0xff, STOP], /opcode 0xff/],
    'an object of a class': [[...tuple(), ...tuple(), 0x81, STOP], /opcode NEWOBJ/],
    'state of a number': [[...int(1), 0x7d, 0x62, STOP], /state of an object/],
    'protocol 0': [[0x80, 0, STOP], /protocol 0/],
  };
  for (const [name, [bytes, message]] of Object.entries(cases)) {
    test(name, () => {
      expect(() => load(bytes)).toThrow(ImportError);
      expect(() => load(bytes)).toThrow(message);
    });
  }

  test('a view of stride 0 and an empty tensor are none of it', () => {
    expect((load([...tensor(storage(), 5, [3, 2], [0, 0]), STOP]) as TorchTensor).values()).toHaveLength(6);
    expect((load([...tensor(storage(), 6, [0, 9], [9, 1]), STOP]) as TorchTensor).values()).toHaveLength(0);
  });
});

describe('hostile files are refused', () => {
  const file = (bytes: Uint8Array) => {
    const path = join(temporaryFolder(), 'hostile.pt');
    writeFileSync(path, bytes);
    return path;
  };

  test('a file that is missing, empty, or of another kind', async () => {
    await expect(readPytorch(join(temporaryFolder(), 'none.pt'))).rejects.toThrow(ImportError);
    await expect(readPytorch(file(new Uint8Array()))).rejects.toThrow(ImportError);
    await expect(readPytorch(file(new TextEncoder().encode('{"a": 1}')))).rejects.toThrow('no zip file');
  });

  test('compressed records, which torch.save never writes', async () => {
    const bytes = zipSync({ 'a/data.pkl': new Uint8Array(1000) });
    await expect(readPytorch(file(bytes))).rejects.toThrow('a compressed record, "a/data.pkl"');
  });

  test('a pickle of tens of megabytes of opcodes, within a second and a hundred megabytes', async () => {
    const opcodes = new Uint8Array(20_000_000).fill(0x7d);
    const many = zipSync({ 'a/data.pkl': opcodes }, { level: 0 });
    const path = file(many);
    const [start, before] = [process.cpuUsage(), process.memoryUsage().rss];
    await expect(readPytorch(path)).rejects.toThrow('more than 400000');
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(1);
    expect(process.memoryUsage().rss - before).toBeLessThan(300e6);
    const ones = zipSync({ 'a/data.pkl': new Uint8Array(20_000_000).fill(0x88) }, { level: 0 });
    await expect(readPytorch(file(ones))).rejects.toThrow('more than 4000000 opcodes');
    const large = zipSync({ 'a/data.pkl': new Uint8Array(40_000_000) }, { level: 0 });
    await expect(readPytorch(file(large))).rejects.toThrow('at most 33554432 bytes of data.pkl');
  });

  test('numbers of another byte order, and a zip without a pickle', async () => {
    const big = zipSync(
      { 'a/data.pkl': Uint8Array.of(STOP), 'a/byteorder': new Uint8Array(text('big')) },
      { level: 0 },
    );
    await expect(readPytorch(file(big))).rejects.toThrow('byte order');
    await expect(readPytorch(file(zipSync({ 'a/b': new Uint8Array(3) }, { level: 0 })))).rejects.toThrow(
      'no data.pkl',
    );
  });

  test('two folders, of which either could be the file', async () => {
    const bytes = zipSync(
      { 'a/data.pkl': Uint8Array.of(STOP), 'b/data.pkl': Uint8Array.of(STOP) },
      { level: 0 },
    );
    await expect(readPytorch(file(bytes))).rejects.toThrow('two records of one name, "data.pkl"');
  });

  test('records whose names climb out of the folder, or are those of objects, are looked up and never written', async () => {
    const pickle = Uint8Array.from([0x80, 2, ...storageTensor('../../evil'), STOP]);
    const inFolder = temporaryFolder();
    const path = join(inFolder, 'hostile.pt');
    writeFileSync(
      path,
      zipSync(
        {
          'a/data.pkl': pickle,
          'a/data/../../evil': new Uint8Array(24),
          'a/../../../evil': new Uint8Array(1),
          '/evil': new Uint8Array(1),
        },
        { level: 0 },
      ),
    );
    expect(((await readPytorch(path)) as TorchTensor).values()).toEqual(new Float64Array(6));
    expect(readdirSync(inFolder)).toEqual(['hostile.pt']);
    expect(existsSync(join(inFolder, '..', 'evil')) || existsSync('evil')).toBe(false);
  });

  test('a directory that claims four billion records', async () => {
    const bytes = zipSync({ 'a/data.pkl': new Uint8Array(3) }, { level: 0 });
    new DataView(bytes.buffer).setUint16(bytes.length - 22 + 8, 0xffff, true);
    await expect(readPytorch(file(bytes))).rejects.toThrow(ImportError);
  });

  test('whatever is cut off or changed, the answer is a value or an ImportError', async () => {
    const path = join(temporaryFolder(), 'fuzzed.pt');
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('views', 'values-4', 'state-dict', 'mask', 'refused-os-system'),
        fc.nat(),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
        async (name, cut, changes) => {
          const bytes = new Uint8Array(readFileSync(join(FIXTURES, `${name}.pt`)));
          for (const [at, value] of changes) bytes[at % bytes.length] = value;
          writeFileSync(path, cut % 3 === 0 ? bytes.subarray(0, cut % bytes.length) : bytes);
          const value = await readPytorch(path).catch((error: unknown) => error);
          if (value instanceof Error) expect(value).toBeInstanceOf(ImportError);
        },
      ),
      { numRuns: 400 },
    );
  });
});
