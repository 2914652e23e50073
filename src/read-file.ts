import { constants, type Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** A file that is open for reading. */
export interface OpenFile {
  /** The caller closes it. */
  readonly handle: FileHandle;
  /** Its size when it was opened. */
  readonly bytes: number;
}

/**
 * Opens a file that somebody else made. Only regular files are read: a named pipe, a socket or a device may keep a
 * reader waiting, or never end. Opening never waits, and what was opened is what is asked about its kind and size.
 *
 * @throws Error that says what is wrong, without the path; the system's own error where it cannot be opened
 */
export async function openFile(path: string, mostBytes = Number.MAX_SAFE_INTEGER): Promise<OpenFile> {
  // A named pipe without a writer would keep an opener waiting.
  const handle = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch(namelessSocket);
  try {
    const entry = await handle.stat();
    if (!entry.isFile()) throw new Error(`not a regular file, but ${kindOf(entry)}`);
    if (entry.size > mostBytes)
      throw new Error(`${entry.size} bytes, more than the ${mostBytes} that are read`);
    if (await isLfsPointer(handle, entry.size)) throw new LfsPointer();
    return { handle, bytes: entry.size };
  } catch (cause) {
    await handle.close();
    throw cause;
  }
}

/** Where a repository was cloned without git-lfs, a few lines of text that name a file stand in its place. */
export class LfsPointer extends Error {
  readonly remedy = 'run "git lfs pull" in the repository, or download the file itself';

  constructor() {
    super('a pointer of Git LFS, not the file itself: run "git lfs pull"');
  }
}

/** The first line of a pointer (Git LFS specification, version 1), which may be no longer than 1024 bytes. */
const POINTER = /^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\//;
const MOST_POINTER_BYTES = 1024;

async function isLfsPointer(handle: FileHandle, bytes: number): Promise<boolean> {
  if (bytes === 0 || bytes > MOST_POINTER_BYTES) return false;
  const text = Buffer.alloc(bytes);
  const { bytesRead } = await handle.read(text, 0, bytes, 0);
  return POINTER.test(text.toString('latin1', 0, bytesRead));
}

/** All bytes of a regular file. @throws Error as `openFile`, and where the file was made shorter meanwhile */
export async function readWholeFile(path: string, mostBytes: number): Promise<Buffer> {
  const { handle, bytes } = await openFile(path, mostBytes);
  try {
    const whole = Buffer.alloc(bytes);
    await readFully(handle, whole, 0);
    return whole;
  } finally {
    await handle.close();
  }
}

/** The bytes of a regular file, piece by piece. @throws Error as `openFile` */
export async function* streamFile(
  path: string,
  pieceBytes = 2 ** 20,
  mostBytes?: number,
): AsyncGenerator<Uint8Array> {
  const { handle, bytes } = await openFile(path, mostBytes);
  try {
    for (let at = 0; at < bytes; at += pieceBytes) {
      const piece = new Uint8Array(Math.min(pieceBytes, bytes - at));
      await readFully(handle, piece, at);
      yield piece;
    }
  } finally {
    await handle.close();
  }
}

/** Fills `bytes` from a place of a file on. @throws Error if it cannot be read or ends early */
export async function readFully(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesRead } = await file.read(bytes, done, bytes.byteLength - done, position + done);
    if (bytesRead === 0) throw new Error(`the file ends at byte ${position + done}`);
    done += bytesRead;
  }
}

/** The system says of a socket only that there is no such device. */
function namelessSocket(cause: NodeJS.ErrnoException): never {
  if (cause.code === 'ENXIO') throw new Error('not a regular file, but a socket or a device', { cause });
  throw cause;
}

function kindOf(entry: Stats): string {
  if (entry.isDirectory()) return 'a folder';
  if (entry.isFIFO()) return 'a named pipe';
  return entry.isSocket() ? 'a socket' : 'a device';
}
