import { type Zippable, zipSync } from 'fflate';
import { writeFileAtomic } from '../../store/index.js';

/** The values that can be written: lists and dicts of strings, numbers and tensors of int64. */
export type WritableValue =
  | string
  | number
  | BigInt64Array
  | readonly WritableValue[]
  | { readonly [key: string]: WritableValue };

/** PyTorch lays storages at multiples of this, so that they may be mapped. */
const ALIGNMENT = 64;
/** PyTorch's padding field bears this id, 'FB'. */
const PADDING_FIELD = 0x4246;
const LOCAL_HEADER_BYTES = 30;
const EXTRA_HEADER_BYTES = 4;
/** A fixed time, so that equal values give equal bytes. */
const MODIFIED = new Date(1980, 0, 1);

/**
 * Writes a `.pt` file that `torch.load(path, weights_only=True)` reads: pickle protocol 2 in an uncompressed zip, as
 * `torch.save` lays it out since PyTorch 1.6. A `BigInt64Array` becomes a LongTensor of one axis. Equal values give equal
 * bytes.
 *
 * @throws OutputError if it cannot be written.
 */
export async function writePytorch(path: string, value: WritableValue): Promise<void> {
  const storages: BigInt64Array[] = [];
  const pickle = [0x80, 2, ...pickled(value, storages), 0x2e];
  const text = (content: string) => new TextEncoder().encode(content);
  const files: [string, Uint8Array][] = [
    ['archive/data.pkl', Uint8Array.from(pickle)],
    ['archive/byteorder', text('little')],
    ...storages.map(({ buffer, byteOffset, byteLength }, key): [string, Uint8Array] => [
      `archive/data/${key}`,
      new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength),
    ]),
    ['archive/version', text('3\n')],
  ];
  const entries: Zippable = {};
  let offset = 0;
  for (const [name, bytes] of files) {
    const start = offset + LOCAL_HEADER_BYTES + name.length + EXTRA_HEADER_BYTES;
    const padding = (ALIGNMENT - (start % ALIGNMENT)) % ALIGNMENT;
    entries[name] = [bytes, { extra: { [PADDING_FIELD]: new Uint8Array(padding) } }];
    offset = start + padding + bytes.length;
  }
  await writeFileAtomic(path, [zipSync(entries, { level: 0, mtime: MODIFIED })]);
}

function* pickled(value: WritableValue, storages: BigInt64Array[]): Generator<number> {
  if (typeof value === 'string') yield* unicode(value);
  else if (typeof value === 'number') yield* number(value);
  else if (value instanceof BigInt64Array) yield* tensor(value, storages);
  else if (Array.isArray(value)) {
    yield 0x5d; // EMPTY_LIST
    for (const entry of value as readonly WritableValue[]) {
      yield* pickled(entry, storages);
      yield 0x61; // APPEND
    }
  } else {
    yield 0x7d; // EMPTY_DICT
    for (const [key, entry] of Object.entries(value)) {
      yield* unicode(key);
      yield* pickled(entry, storages);
      yield 0x73; // SETITEM
    }
  }
}

/** `_rebuild_tensor_v2(storage, 0, (n,), (1,), False, OrderedDict())`, the storage by its persistent id. */
function* tensor(values: BigInt64Array, storages: BigInt64Array[]): Generator<number> {
  const key = storages.push(values) - 1;
  yield* global('torch._utils', '_rebuild_tensor_v2');
  yield 0x28; // MARK
  yield 0x28;
  yield* unicode('storage');
  yield* global('torch', 'LongStorage');
  yield* unicode(String(key));
  yield* unicode('cpu');
  yield* number(values.length);
  yield 0x74; // TUPLE
  yield 0x51; // BINPERSID
  yield* number(0);
  yield* number(values.length);
  yield 0x85; // TUPLE1
  yield* number(1);
  yield 0x85;
  yield 0x89; // NEWFALSE
  yield* global('collections', 'OrderedDict');
  yield 0x29; // EMPTY_TUPLE
  yield 0x52; // REDUCE
  yield 0x74;
  yield 0x52;
}

function* global(module: string, name: string): Generator<number> {
  yield 0x63;
  yield* new TextEncoder().encode(`${module}\n${name}\n`);
}

function* unicode(text: string): Generator<number> {
  const bytes = new TextEncoder().encode(text);
  yield 0x58; // BINUNICODE
  yield* new Uint8Array(Uint32Array.of(bytes.length).buffer);
  yield* bytes;
}

/** BININT where it fits, else BINFLOAT. */
function* number(value: number): Generator<number> {
  const whole = Number.isInteger(value) && Math.abs(value) < 2 ** 31 && !Object.is(value, -0);
  yield whole ? 0x4a : 0x47;
  const bytes = new DataView(new ArrayBuffer(whole ? 4 : 8));
  if (whole) bytes.setInt32(0, value, true);
  else bytes.setFloat64(0, value);
  yield* new Uint8Array(bytes.buffer);
}
