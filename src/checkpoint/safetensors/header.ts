import { z } from 'zod';
import { CheckpointError, type ErrorDetails, type InputErrorClass, messageOf } from '../../errors.js';
import { LfsPointer, type OpenFile, openFile, readFully } from '../../read-file.js';
import { findStructureFault } from './json-structure.js';

/** Longest header that is read. Real ones have 1 kB to 5 MB; the same limit as huggingface.js. */
export const MAX_HEADER_BYTES = 25_000_000; // 25 MB

/** Bytes of the little-endian header length at the start of the file. */
const LENGTH_BYTES = 8;

/** A header has three levels: the object of tensors, a tensor, its shape. */
const MAX_HEADER_DEPTH = 3;

/** As many dimensions as NumPy allows. */
const MAX_DIMENSIONS = 64;

/** Bits an element takes, by the names of the safetensors format. */
// biome-ignore format: a table
const DTYPE_BITS: Readonly<Record<string, number>> = {
  BOOL: 8, U8: 8, I8: 8, F8_E5M2: 8, F8_E4M3: 8, F8_E8M0: 8, F8_E4M3FNUZ: 8, F8_E5M2FNUZ: 8,
  F4: 4, F6_E2M3: 6, F6_E3M2: 6,
  I16: 16, U16: 16, F16: 16, BF16: 16,
  I32: 32, U32: 32, F32: 32,
  I64: 64, U64: 64, F64: 64, C64: 64,
};

/** One tensor as the header describes it. */
export interface StoredTensor {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly offset: number;
  readonly byteLength: number;
}

export interface SafetensorsHeader {
  readonly path: string;
  readonly fileBytes: number;
  /** The header's `__metadata__`. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/**
 * Reads and checks the header of a safetensors file; of the tensors nothing is read. What the reference
 * implementation refuses is refused here too: overlaps, holes, bytes that belong to no tensor, lengths that do not
 * follow from shape and type.
 *
 * @throws CheckpointError (or the given class) naming file, tensor, what was expected and what was found.
 */
export async function readSafetensorsHeader(
  path: string,
  ErrorType: InputErrorClass = CheckpointError,
): Promise<SafetensorsHeader> {
  const { fileBytes, headerBytes } = await readHeaderBytes(path, ErrorType);
  return parseSafetensorsHeader(headerBytes, { path, fileBytes }, ErrorType);
}

/** The checks of `readSafetensorsHeader` on the header's bytes (without the eight that hold its length). */
export function parseSafetensorsHeader(
  headerBytes: Uint8Array,
  { path, fileBytes }: { readonly path: string; readonly fileBytes: number },
  ErrorType: InputErrorClass = CheckpointError,
): SafetensorsHeader {
  const fail = failIn(path, ErrorType);
  const entries = parseJson(headerBytes, fail);
  const dataStart = LENGTH_BYTES + headerBytes.byteLength;
  let metadata: Record<string, string> = {};
  const tensors = new Map<string, StoredTensor>();
  for (const [name, entry] of Object.entries(entries)) {
    if (name === '__metadata__') {
      const parsed = textMapSchema.safeParse(entry);
      metadata = parsed.success
        ? parsed.data
        : fail({ what: '__metadata__ in the header is not a map from text to text' });
    } else {
      tensors.set(name, parseTensor(name, entry, dataStart, fileBytes, fail));
    }
  }
  checkCover([...tensors.values()], dataStart, fileBytes, fail);
  return { path, fileBytes, metadata, tensors };
}

type Fail = (details: ErrorDetails, cause?: unknown) => never;

function failIn(path: string, ErrorType: InputErrorClass): Fail {
  return (details, cause) => {
    throw new ErrorType(
      {
        where: path,
        remedy: 'the file is damaged or was not fully written: download or save it again',
        ...details,
      },
      cause === undefined ? undefined : { cause },
    );
  };
}

async function readHeaderBytes(
  path: string,
  ErrorType: InputErrorClass,
): Promise<{ fileBytes: number; headerBytes: Uint8Array }> {
  const fail = failIn(path, ErrorType);
  let file: OpenFile | undefined;
  try {
    file = await openFile(path);
    const fileBytes = file.bytes;
    if (fileBytes < LENGTH_BYTES) {
      fail({
        what: 'too short to be a safetensors file',
        expected: `at least ${LENGTH_BYTES} bytes`,
        found: `${fileBytes} bytes`,
      });
    }
    const prefix = new Uint8Array(LENGTH_BYTES);
    await readFully(file.handle, prefix, 0);
    const claimed = new DataView(prefix.buffer).getBigUint64(0, true);
    if (claimed > MAX_HEADER_BYTES) {
      fail({
        what: 'the header claims to be longer than any real one',
        expected: `at most ${MAX_HEADER_BYTES} bytes`,
        found: `${claimed} bytes`,
        remedy: 'check that this is a safetensors file, and download or save it again',
      });
    }
    const headerLength = Number(claimed);
    if (LENGTH_BYTES + headerLength > fileBytes) {
      fail({
        what: 'the file ends inside its header',
        expected: `${LENGTH_BYTES + headerLength} bytes of header`,
        found: `${fileBytes} bytes in all`,
      });
    }
    const headerBytes = new Uint8Array(headerLength);
    await readFully(file.handle, headerBytes, LENGTH_BYTES);
    return { fileBytes, headerBytes };
  } catch (cause) {
    if (cause instanceof ErrorType) throw cause;
    if (cause instanceof LfsPointer) {
      return fail({ what: 'a pointer of Git LFS, not the weights', remedy: cause.remedy }, cause);
    }
    return fail(
      {
        what: 'cannot be read',
        found: messageOf(cause),
        remedy: 'check that the file exists and that you may read it',
      },
      cause,
    );
  } finally {
    await file?.handle.close();
  }
}

function parseJson(headerBytes: Uint8Array, fail: Fail): Record<string, unknown> {
  if (headerBytes[0] !== '{'.charCodeAt(0)) {
    fail({
      what: 'the header does not begin with "{"',
      remedy: 'check that this is a safetensors file, and download or save it again',
    });
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(headerBytes);
  } catch (cause) {
    return fail({ what: 'the header is not valid UTF-8' }, cause);
  }
  const fault = findStructureFault(text, MAX_HEADER_DEPTH);
  if (fault !== null) {
    const name = JSON.stringify(preview(fault.path));
    fail({
      what:
        fault.kind === 'duplicate-key'
          ? `the header names ${name} twice`
          : `the header is nested too deeply at ${name}`,
    });
  }
  let entries: Record<string, unknown>;
  try {
    entries = JSON.parse(text);
  } catch (cause) {
    return fail(
      {
        what: 'the header is not valid JSON',
        found: preview(messageOf(cause)),
      },
      cause,
    );
  }
  return entries;
}

function parseTensor(
  name: string,
  entry: unknown,
  dataStart: number,
  fileBytes: number,
  fail: Fail,
): StoredTensor {
  const tensor = `tensor ${JSON.stringify(preview(name))}`;
  const parsed = entrySchema.safeParse(entry);
  if (!parsed.success) {
    return fail({
      what: `${tensor}: its entry in the header is unusable`,
      expected: 'dtype, shape and data_offsets, sizes being whole numbers from 0 to 2^53 − 1',
      found: preview(JSON.stringify(entry)),
    });
  }
  const { dtype, shape, data_offsets } = parsed.data;
  const [begin, end] = data_offsets;
  const dataBytes = fileBytes - dataStart;
  if (begin > end) {
    fail({ what: `${tensor}: its data ends before it begins`, found: `data_offsets [${begin}, ${end}]` });
  }
  if (end > dataBytes) {
    fail({
      what: `${tensor}: its data lies outside the file`,
      expected: `data_offsets up to ${dataBytes}`,
      found: `[${begin}, ${end}]`,
    });
  }
  const elements = elementsOf(shape);
  if (elements === null) {
    return fail({ what: `${tensor}: the shape is too large`, found: `[${shape.join(', ')}]` });
  }
  const bits = Object.hasOwn(DTYPE_BITS, dtype) ? DTYPE_BITS[dtype] : undefined;
  // A type newer than this table: its length cannot be checked; a model that needs the tensor is told the type.
  if (bits !== undefined && (end - begin) * 8 !== elements * bits) {
    fail({
      what: `${tensor}: its length does not follow from shape and type`,
      expected: `${Math.ceil((elements * bits) / 8)} bytes for ${dtype} [${shape.join(', ')}]`,
      found: `${end - begin} bytes`,
    });
  }
  return { name, dtype, shape, offset: dataStart + begin, byteLength: end - begin };
}

const size = z.int().nonnegative();
const entrySchema = z.object({
  dtype: z.string(),
  shape: z.array(size).max(MAX_DIMENSIONS),
  data_offsets: z.tuple([size, size]),
});
const textMapSchema = z.record(z.string(), z.string());

/** Characters of a file's content that a message shows. */
const PREVIEW_CHARACTERS = 200;

function preview(text: string): string {
  return text.length <= PREVIEW_CHARACTERS ? text : `${text.slice(0, PREVIEW_CHARACTERS)}…`;
}

/** Product of the dimensions, or null where it cannot be counted exactly. */
function elementsOf(shape: readonly number[]): number | null {
  let elements = 1;
  for (const size of shape) {
    elements *= size;
    if (!Number.isSafeInteger(elements * 64)) return null;
  }
  return elements;
}

/** Tensors must cover the data exactly once, in some order. */
function checkCover(tensors: StoredTensor[], dataStart: number, fileBytes: number, fail: Fail): void {
  tensors.sort((a, b) => a.offset - b.offset || a.byteLength - b.byteLength);
  let covered = dataStart;
  let before: StoredTensor | undefined;
  for (const tensor of tensors) {
    if (tensor.offset < covered) {
      fail({
        what: `tensors ${JSON.stringify(before?.name)} and ${JSON.stringify(tensor.name)} overlap`,
        expected: `data of ${JSON.stringify(tensor.name)} to begin at offset ${covered - dataStart}`,
        found: `offset ${tensor.offset - dataStart}`,
      });
    }
    if (tensor.offset > covered) {
      fail({
        what: `${tensor.offset - covered} bytes before tensor ${JSON.stringify(tensor.name)} belong to no tensor`,
        expected: `data of ${JSON.stringify(tensor.name)} to begin at offset ${covered - dataStart}`,
        found: `offset ${tensor.offset - dataStart}`,
      });
    }
    covered = tensor.offset + tensor.byteLength;
    before = tensor;
  }
  if (covered !== fileBytes) {
    fail({
      what: `${fileBytes - covered} bytes at the end of the file belong to no tensor`,
      expected: `a file of ${covered} bytes`,
      found: `${fileBytes} bytes`,
    });
  }
}
