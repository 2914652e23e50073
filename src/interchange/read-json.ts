import { readFile } from 'node:fs/promises';
import { type ImportError, messageOf } from '../errors.js';

/** The value of a JSON file; a byte order mark before it is left out. @throws what `unusable` makes of a fault. */
export async function readJson(
  path: string,
  unusable: (found: string, cause?: unknown) => ImportError,
): Promise<unknown> {
  try {
    return JSON.parse((await readFile(path, 'utf8')).replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw unusable(messageOf(cause), cause);
  }
}
