import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolders, outputError } from '../../system-errors.js';
import { type FileChecksum, rememberChecksum } from '../integrity/checksum.js';
import { isOrphan, uniqueName } from './temporary-name.js';

/** The calls that writing needs; tests pass ones that fail. */
export interface WriteFileSystem {
  readonly open: (path: string, flags: string) => Promise<Pick<FileHandle, 'write' | 'sync' | 'close'>>;
  readonly rename: (from: string, to: string) => Promise<void>;
  readonly rm: (path: string, options: { force: boolean }) => Promise<void>;
  /** Flushes the entries of a folder. */
  readonly syncFolder: (path: string) => Promise<void>;
}

const nodeFileSystem: WriteFileSystem = { open, rename, rm, syncFolder };

/**
 * Writes a file so that it exists whole or not at all, whatever happens in between: to a temporary name in the
 * same folder, flushed to disk, then renamed. On failure the temporary is removed and an older file of that name
 * is untouched.
 *
 * @param hash SHA-256 that is fed each chunk before the next one is asked for
 * @returns length and SHA-256 of the file
 * @throws OutputError if the folder cannot be written or the disk is full; what the chunks throw is passed on.
 */
export async function writeFileAtomic(
  path: string,
  chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  fileSystem: WriteFileSystem = nodeFileSystem,
  hash: Hash = createHash('sha256'),
): Promise<FileChecksum> {
  const temporary = uniqueName(path);
  await removeOrphans(path);
  let bytes = 0;
  try {
    const file = await fileSystem.open(temporary, 'wx');
    try {
      for await (const chunk of chunks) {
        hash.update(chunk);
        bytes += chunk.byteLength;
        await writeAll(file, chunk);
      }
      // Without this a power cut after the rename may leave an empty file under the final name.
      await file.sync();
    } finally {
      await file.close();
    }
    await fileSystem.rename(temporary, path);
  } catch (cause) {
    await fileSystem.rm(temporary, { force: true }).catch(() => undefined);
    throw toOutputError(cause, path);
  }
  const checksum = { bytes, sha256: hash.digest('hex') };
  await rememberChecksum(path, checksum);
  await fileSystem.syncFolder(dirname(path)).catch((cause: unknown) => {
    if (NO_FOLDER_SYNC.has(String((cause as NodeJS.ErrnoException).code))) return;
    throw toOutputError(cause, dirname(path));
  });
  return checksum;
}

/**
 * Flushing a folder fails with these where the file system cannot do it at all (some FUSE and network file systems) or
 * the platform does not open folders (Windows: EPERM, EISDIR). Then the new name reaches the disk when the system pleases.
 */
const NO_FOLDER_SYNC: ReadonlySet<string> = new Set([
  'EINVAL',
  'ENOSYS',
  'ENOTSUP',
  'EOPNOTSUPP',
  ...(process.platform === 'win32' ? ['EPERM', 'EISDIR', 'EACCES'] : []),
]);

/** Creates a folder and those above it. @throws OutputError if that is not possible. */
export async function makeFolder(path: string): Promise<void> {
  await makeFolders(path).catch((cause: unknown) => {
    throw toOutputError(cause, path);
  });
}

/** Removes a file of an earlier writing that this one does not make; that there is none is fine. @throws OutputError */
export async function removeStale(path: string): Promise<void> {
  await rm(path, { force: true }).catch((cause: unknown) => {
    throw toOutputError(cause, path);
  });
}

async function writeAll(file: Pick<FileHandle, 'write'>, chunk: Uint8Array): Promise<void> {
  let done = 0;
  while (done < chunk.byteLength) {
    const { bytesWritten } = await file.write(chunk, done, chunk.byteLength - done);
    done += bytesWritten;
  }
}

/** Says what a failed call of the file system means to the user; errors of ours and non-system errors are kept. */
export function toOutputError(cause: unknown, path: string): unknown {
  return outputError(cause, path, '--out');
}

/** Removes temporaries of this file that a killed process left behind, of which it is certain. */
async function removeOrphans(path: string): Promise<void> {
  const folder = dirname(path);
  const names = await readdir(folder).catch((): string[] => []);
  for (const name of names) {
    if (isOrphan(name, path)) await rm(join(folder, name), { force: true }).catch(() => undefined);
  }
}

/** Makes the rename itself durable. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
