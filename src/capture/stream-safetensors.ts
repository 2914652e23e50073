import { writeFileAtomic } from '../store/write-file-atomic.js';
import type { LayerDtype } from './layout.js';

/** An array whose values are not known yet. */
export interface PlannedArray {
  readonly name: string;
  readonly dtype: LayerDtype;
  readonly shape: readonly number[];
}

const ELEMENT_BYTES: Readonly<Record<LayerDtype, number>> = { F64: 8, U32: 4, F32: 4, F16: 2 };

/** Data begins at a multiple of this, as safetensors recommends. */
const ALIGNMENT_BYTES = 8;

/**
 * Writes a safetensors file whose arrays come one after another, in the order of `arrays`, without ever holding more
 * than what the source yields at once. Whole or not at all.
 *
 * @param values bytes of the arrays, in any pieces
 */
export async function streamSafetensors(
  path: string,
  arrays: readonly PlannedArray[],
  values: AsyncIterable<ArrayBufferView>,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const { header, dataBytes } = encodeHeader(arrays, metadata);
  async function* chunks() {
    yield header;
    let written = 0;
    for await (const { buffer, byteOffset, byteLength } of values) {
      written += byteLength;
      yield new Uint8Array(buffer, byteOffset, byteLength);
    }
    if (written !== dataBytes)
      throw new RangeError(`${path}: ${written} bytes of arrays that take ${dataBytes}`);
  }
  await writeFileAtomic(path, chunks());
}

export function arrayBytes({ dtype, shape }: Pick<PlannedArray, 'dtype' | 'shape'>): number {
  return ELEMENT_BYTES[dtype] * shape.reduce((a, b) => a * b, 1);
}

function encodeHeader(arrays: readonly PlannedArray[], metadata: Readonly<Record<string, string>>) {
  const entries: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const array of arrays) {
    const end = offset + arrayBytes(array);
    entries[array.name] = { dtype: array.dtype, shape: array.shape, data_offsets: [offset, end] };
    offset = end;
  }
  const json = new TextEncoder().encode(JSON.stringify(entries));
  const padded = Math.ceil(json.byteLength / ALIGNMENT_BYTES) * ALIGNMENT_BYTES;
  const header = new Uint8Array(8 + padded).fill(' '.charCodeAt(0));
  new DataView(header.buffer).setBigUint64(0, BigInt(padded), true);
  header.set(json, 8);
  return { header, dataBytes: offset };
}
