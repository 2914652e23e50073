import {
  type ArrayDtype,
  type ArrayTypes,
  arrayBytes,
  streamSafetensors,
} from '../../src/store/files/safetensors.js';
import type { WriteFileSystem } from '../../src/store/files/write-file-atomic.js';

/** An array to be stored, row-major. */
export type NamedArray = {
  [D in ArrayDtype]: {
    readonly name: string;
    readonly dtype: D;
    readonly shape: readonly number[];
    readonly data: ArrayTypes[D];
  };
}[ArrayDtype];

/** In the order in which the reference implementation lays types out: by falling element size. */
const DTYPE_ORDER: readonly ArrayDtype[] = ['I64', 'F64', 'F32', 'U32', 'I32', 'F16', 'U16', 'U8'];

/**
 * Writes arrays as a safetensors file, whole or not at all. The same arrays and metadata give the same bytes in
 * whatever order they come: those of the reference implementation, which lays arrays out by type, widest first
 * (so that each is aligned), then by name.
 *
 * @throws OutputError if it cannot be written.
 */
export async function writeSafetensors(
  path: string,
  arrays: readonly NamedArray[],
  metadata: Readonly<Record<string, string>> = {},
  fileSystem?: WriteFileSystem,
): Promise<void> {
  const ordered = [...arrays].sort(
    (a, b) => DTYPE_ORDER.indexOf(a.dtype) - DTYPE_ORDER.indexOf(b.dtype) || (a.name < b.name ? -1 : 1),
  );
  for (const array of ordered) {
    if (array.data.byteLength !== arrayBytes(array)) {
      throw new RangeError(
        `array ${array.name}: ${array.data.length} elements for [${array.shape.join(', ')}]`,
      );
    }
  }
  const values = ordered.map(({ data }) => data);
  await streamSafetensors(path, ordered, values, metadata, fileSystem);
}
