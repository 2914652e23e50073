import { createHash, type Hash } from 'node:crypto';
import { CheckpointError, messageOf } from '../errors.js';
import { streamFile } from '../read-file.js';

/** Read size while hashing; larger ones measured no faster. */
const HASH_CHUNK_BYTES = 1 << 20;

/** Hex SHA-256 over the contents of files, one after another; memory does not grow with their size. */
export async function sha256OfFiles(paths: readonly string[]): Promise<string> {
  const hash = createHash('sha256');
  for (const path of paths) await updateFromFile(hash, path);
  return hash.digest('hex');
}

async function updateFromFile(hash: Hash, path: string): Promise<void> {
  try {
    for await (const chunk of streamFile(path, HASH_CHUNK_BYTES)) hash.update(chunk);
  } catch (cause) {
    throw new CheckpointError(
      {
        what: 'cannot be read',
        where: path,
        found: messageOf(cause),
        remedy: 'check that the file is still there and that you may read it',
      },
      { cause },
    );
  }
}
