import { createHash } from 'node:crypto';
import { readSafetensorsHeader, type StoredTensor } from '../../checkpoint/index.js';
import { messageOf, RunError } from '../../errors.js';
import { openFile, readFully } from '../../read-file.js';
import { type FileChecksum, rememberSealed, SEAL_BYTES } from '../integrity/checksum.js';
import { type WriteFileSystem, writeFileAtomic } from './write-file-atomic.js';

/** How each storage type is held in memory; F16 as its bits (see `fromFloat16`). */
export interface ArrayTypes {
  U8: Uint8Array;
  U16: Uint16Array;
  U32: Uint32Array;
  I32: Int32Array;
  I64: BigInt64Array;
  F16: Uint16Array;
  F32: Float32Array;
  F64: Float64Array;
}
export type ArrayDtype = keyof ArrayTypes;

const CONSTRUCTORS = {
  I64: BigInt64Array,
  F64: Float64Array,
  F32: Float32Array,
  U32: Uint32Array,
  I32: Int32Array,
  F16: Uint16Array,
  U16: Uint16Array,
  U8: Uint8Array,
} as const;

/** Data begins at a multiple of this, so that readers may map arrays without copying. */
const ALIGNMENT_BYTES = 8;

/** An array of a file to be written, whose values come later. */
export interface PlannedArray {
  readonly name: string;
  readonly dtype: ArrayDtype;
  readonly shape: readonly number[];
}

/**
 * Writes a safetensors file whose arrays lie in the order given, from values that are made while it is written:
 * no more is held in memory than what the source yields at once. Whole or not at all.
 *
 * @param values bytes of the arrays, one after another, in any pieces
 * @returns length and SHA-256 of the file
 * @throws OutputError if it cannot be written; RangeError if the values are not as many as planned.
 */
export async function streamSafetensors(
  path: string,
  arrays: readonly PlannedArray[],
  values: Iterable<ArrayBufferView> | AsyncIterable<ArrayBufferView>,
  metadata: Readonly<Record<string, string>> = {},
  fileSystem?: WriteFileSystem,
): Promise<FileChecksum> {
  const { header, dataBytes } = encodeHeader(arrays, metadata);
  return writeFileAtomic(path, encoded(path, header, dataBytes, values), fileSystem);
}

/** Name of the last array of a sealed file: the SHA-256 of all bytes before it. */
const SEAL_ARRAY = 'sha256';

/**
 * Writes a safetensors file as `streamSafetensors` does, with its own checksum as the last array: for files that no other
 * file lists yet, as several processes may write them side by side. `checkSealed` checks it.
 */
export async function streamSealed(
  path: string,
  arrays: readonly PlannedArray[],
  values: Iterable<ArrayBufferView> | AsyncIterable<ArrayBufferView>,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const seal: PlannedArray = { name: SEAL_ARRAY, dtype: 'U8', shape: [SEAL_BYTES] };
  const { header, dataBytes } = encodeHeader([...arrays, seal], metadata);
  const hash = createHash('sha256');
  async function* sealed() {
    yield* values;
    // All that was yielded before has been hashed by now.
    yield new Uint8Array(hash.copy().digest());
  }
  await writeFileAtomic(path, encoded(path, header, dataBytes, sealed()), undefined, hash);
  await rememberSealed(path);
}

async function* encoded(
  path: string,
  header: Uint8Array,
  dataBytes: number,
  values: Iterable<ArrayBufferView> | AsyncIterable<ArrayBufferView>,
): AsyncGenerator<Uint8Array> {
  yield header;
  let written = 0;
  for await (const { buffer, byteOffset, byteLength } of values) {
    written += byteLength;
    yield new Uint8Array(buffer, byteOffset, byteLength);
  }
  if (written !== dataBytes)
    throw new RangeError(`${path}: ${written} bytes for arrays that take ${dataBytes}`);
}

/** Bytes that an array takes in a file. */
export function arrayBytes({ dtype, shape }: Pick<PlannedArray, 'dtype' | 'shape'>): number {
  return shape.reduce((product, size) => product * size, CONSTRUCTORS[dtype].BYTES_PER_ELEMENT);
}

/** Bytes of a large array that are read, or written, at once. */
const SLAB_BYTES = 16 * 2 ** 20; // 16 MiB

/** Cuts the rows of a large array into slabs of adjacent ones that are read, or written, at once. */
export function* slabs(
  rows: number,
  rowBytes: number,
): Generator<{ readonly start: number; readonly end: number }> {
  const most = Math.max(1, Math.floor(SLAB_BYTES / Math.max(1, rowBytes)));
  for (let start = 0; start < rows; start += most) yield { start, end: Math.min(rows, start + most) };
}

function encodeHeader(
  arrays: readonly PlannedArray[],
  metadata: Readonly<Record<string, string>>,
): { header: Uint8Array; dataBytes: number } {
  const entries: [string, unknown][] = [];
  const names = new Set<string>(['__metadata__']);
  if (Object.keys(metadata).length > 0) {
    entries.push(['__metadata__', Object.fromEntries(Object.entries(metadata).sort(byKey))]);
  }
  let offset = 0;
  for (const array of arrays) {
    const { name, dtype, shape } = array;
    if (names.has(name)) throw new RangeError(`array name ${name} is taken`);
    names.add(name);
    const end = offset + arrayBytes(array);
    entries.push([name, { dtype, shape, data_offsets: [offset, end] }]);
    offset = end;
  }
  // Joined by hand: an object would move integer-like names to the front.
  const json = `{${entries.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(',')}}`;
  const text = new TextEncoder().encode(json);
  const padded = Math.ceil(text.byteLength / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  const header = new Uint8Array(8 + padded).fill(' '.charCodeAt(0));
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(text, 8);
  return { header, dataBytes: offset };
}

function byKey([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : 1;
}

/** An array as the header describes it, without its values. */
export interface ArrayDescription {
  readonly dtype: ArrayDtype;
  readonly shape: readonly number[];
}

/** An open safetensors file; arrays are read when asked for, never the whole file. */
export interface SafetensorsFile {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly arrays: ReadonlyMap<string, ArrayDescription>;
  /** All of an array, row-major. @param dtype the type it is known to have. @throws RangeError for another */
  read<D extends ArrayDtype = ArrayDtype>(name: string, dtype?: D): Promise<ArrayTypes[D]>;
  /** Rows `first` … `first + rows − 1` along the first axis. */
  readRange<D extends ArrayDtype = ArrayDtype>(
    name: string,
    first: number,
    rows: number,
    dtype?: D,
  ): Promise<ArrayTypes[D]>;
  /** Columns `start` … `end − 1` along the last axis, of all rows. */
  readColumns(name: string, start: number, end: number): Promise<ArrayTypes[ArrayDtype]>;
  close(): Promise<void>;
}

/** Opens a safetensors file of ours. @throws RunError if it is missing, malformed or holds types we never write. */
export async function openSafetensors(path: string): Promise<SafetensorsFile> {
  const header = await readSafetensorsHeader(path, RunError);
  const arrays = new Map<string, ArrayDescription>();
  for (const { name, dtype, shape } of header.tensors.values()) {
    if (!isArrayDtype(dtype)) {
      throw new RunError({
        what: `array ${JSON.stringify(name)} has a type that babelscope does not write`,
        where: path,
        expected: Object.keys(CONSTRUCTORS).join(', '),
        found: dtype,
        remedy: 'capture the run again',
      });
    }
    arrays.set(name, { dtype, shape });
  }
  const { handle } = await openFile(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });

  const readBytes = (bytes: Uint8Array, position: number) =>
    readFully(handle, bytes, position).catch((cause: unknown) => {
      throw unreadable(path, cause);
    });

  function tensorOf(name: string): StoredTensor & ArrayDescription {
    const tensor = header.tensors.get(name);
    if (tensor !== undefined) return { ...tensor, dtype: arrays.get(name)!.dtype };
    throw new RunError({
      what: `there is no array ${JSON.stringify(name)} in the file`,
      where: path,
      found: [...arrays.keys()].sort().join(', ') || 'no arrays',
      remedy: 'capture the run again with the hooks that record it',
    });
  }

  async function readRange<D extends ArrayDtype>(
    name: string,
    first: number,
    rows: number,
    dtype?: D,
  ): Promise<ArrayTypes[D]> {
    const tensor = tensorOf(name);
    const total = tensor.shape[0] ?? 1;
    checkRange('rows', first, first + rows, name, total);
    if (dtype !== undefined && dtype !== tensor.dtype) {
      throw new RangeError(`${name} is ${tensor.dtype}, not ${dtype}`);
    }
    const rowBytes = total === 0 ? 0 : tensor.byteLength / total;
    const bytes = new Uint8Array(rowBytes * rows);
    await readBytes(bytes, tensor.offset + rowBytes * first);
    return new CONSTRUCTORS[tensor.dtype](bytes.buffer) as ArrayTypes[D];
  }

  async function readColumns(name: string, start: number, end: number): Promise<ArrayTypes[ArrayDtype]> {
    const tensor = tensorOf(name);
    const columns = tensor.shape.at(-1) ?? 1;
    checkRange('columns', start, end, name, columns);
    const elementBytes = CONSTRUCTORS[tensor.dtype].BYTES_PER_ELEMENT;
    const rowBytes = columns * elementBytes;
    const width = (end - start) * elementBytes;
    const rows = columns === 0 ? 0 : tensor.byteLength / rowBytes;
    const bytes = new Uint8Array(rows * width);
    for (let row = 0; row < rows; row++) {
      const strip = bytes.subarray(row * width, (row + 1) * width);
      await readBytes(strip, tensor.offset + row * rowBytes + start * elementBytes);
    }
    return new CONSTRUCTORS[tensor.dtype](bytes.buffer);
  }

  return {
    path,
    metadata: header.metadata,
    arrays,
    read: (name, dtype) => readRange(name, 0, arrays.get(name)?.shape[0] ?? 1, dtype),
    readRange,
    readColumns,
    close: () => handle.close(),
  };
}

function checkRange(what: string, start: number, end: number, name: string, total: number): void {
  const isWhole = Number.isInteger(start) && Number.isInteger(end);
  if (isWhole && start >= 0 && start <= end && end <= total) return;
  throw new RangeError(`${what} ${start} … ${end} of ${name}, which has ${total}`);
}

function isArrayDtype(dtype: string): dtype is ArrayDtype {
  return Object.hasOwn(CONSTRUCTORS, dtype);
}

function unreadable(path: string, cause: unknown): RunError {
  return new RunError(
    {
      what: 'cannot be read',
      where: path,
      found: messageOf(cause),
      remedy: 'check that the file is there and that you may read it',
    },
    { cause },
  );
}
