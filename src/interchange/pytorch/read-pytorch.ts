import { openArchive } from './archive.js';
import type { PickleValue } from './pickle-objects.js';
import { unpickle } from './unpickle.js';

/**
 * Reads a `.pt` or `.pth` file of PyTorch 1.6 or later without executing anything in it: tensors, dicts, lists,
 * tuples, numbers, strings, booleans and None. Anything else is refused, by its name. Tensors are views of storages,
 * with strides and offsets; their elements are read when asked for.
 *
 * @throws ImportError if the file cannot be read, is of the format before 1.6, is malformed or holds anything else.
 */
export async function readPytorch(path: string): Promise<PickleValue> {
  const { pickle, storages } = await openArchive(path);
  return unpickle(pickle, storages, path);
}
