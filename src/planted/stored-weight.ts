import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Checkpoint, WeightDtype, WeightTensor } from '../checkpoint/index.js';
import { CheckpointError, messageOf } from '../errors.js';
import { readFully } from '../read-file.js';
import { fromFloat16, toFloat16, toOutputError } from '../store/index.js';

const ELEMENT_BYTES: Readonly<Record<WeightDtype, number>> = { F64: 8, F32: 4, F16: 2, BF16: 2 };

/** Elements of a stored weight. */
export function elementsOf({ shape }: Pick<WeightTensor, 'shape'>): number {
  return shape.reduce((product, size) => product * size, 1);
}

/**
 * Elements `first` … `first + count − 1` of a weight, row-major, as exact float32; default all.
 *
 * @throws CheckpointError if the file cannot be read
 */
export async function readWeight(
  { weightsRoot }: Checkpoint,
  tensor: WeightTensor,
  first = 0,
  count = elementsOf(tensor) - first,
): Promise<Float32Array> {
  const path = join(weightsRoot, tensor.location);
  const size = ELEMENT_BYTES[tensor.dtype];
  const bytes = new Uint8Array(count * size);
  await withFile(path, 'r', (file) => readFully(file, bytes, tensor.offset + first * size)).catch((cause) => {
    const remedy = 'check that the file is there and that you may read it';
    throw new CheckpointError(
      { what: 'cannot be read', where: path, found: messageOf(cause), remedy },
      { cause },
    );
  });
  return decode(bytes.buffer, tensor.dtype);
}

/**
 * Overwrites a weight where it lies, rounded to the type it is stored in.
 *
 * @throws OutputError if the file cannot be written
 */
export async function overwriteWeight(
  { weightsRoot }: Checkpoint,
  tensor: WeightTensor,
  values: Float32Array,
): Promise<void> {
  if (values.length !== elementsOf(tensor)) {
    throw new RangeError(`${values.length} values for ${tensor.name} [${tensor.shape.join(', ')}]`);
  }
  const path = join(weightsRoot, tensor.location);
  const stored = encode(values, tensor.dtype);
  const bytes = new Uint8Array(stored.buffer, stored.byteOffset, stored.byteLength);
  await withFile(path, 'r+', async (file) => {
    for (let done = 0; done < bytes.byteLength; ) {
      done += (await file.write(bytes, done, bytes.byteLength - done, tensor.offset + done)).bytesWritten;
    }
  }).catch((cause) => {
    throw toOutputError(cause, path);
  });
}

async function withFile(
  path: string,
  flags: string,
  use: (file: FileHandle) => Promise<void>,
): Promise<void> {
  const file = await open(path, flags);
  try {
    await use(file);
  } finally {
    await file.close();
  }
}

/** The values as they will be read back. */
export function roundTo(dtype: WeightDtype, values: Float32Array): Float32Array {
  const { buffer } = encode(values, dtype);
  return decode(buffer as ArrayBuffer, dtype);
}

function decode(buffer: ArrayBuffer, dtype: WeightDtype): Float32Array {
  if (dtype === 'F64') return Float32Array.from(new Float64Array(buffer));
  if (dtype === 'F32') return new Float32Array(buffer);
  if (dtype === 'F16') return fromFloat16(new Uint16Array(buffer));
  // bfloat16 is the upper half of float32.
  const bits = Uint32Array.from(new Uint16Array(buffer), (half) => half << 16);
  return new Float32Array(bits.buffer);
}

function encode(values: Float32Array, dtype: WeightDtype): Float64Array | Float32Array | Uint16Array {
  if (dtype === 'F64') return Float64Array.from(values);
  if (dtype === 'F32') return values.slice();
  if (dtype === 'F16') return toFloat16(values).bits;
  const single = new Uint32Array(values.buffer, values.byteOffset, values.length);
  // To nearest, ties to even. The values here are finite.
  return Uint16Array.from(single, (bits) => (bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16);
}
