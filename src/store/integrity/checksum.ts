import { createHash, type Hash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { stat } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { InterruptedError, messageOf, RunError } from '../../errors.js';
import { streamFile } from '../../read-file.js';

/** How long a file is, and the SHA-256 of its bytes in hex. */
export interface FileChecksum {
  readonly bytes: number;
  readonly sha256: string;
}

/** By path within a folder, `/`-separated. */
export type Checksums = Readonly<Record<string, FileChecksum>>;

/** A file whose bytes are not those that were written. */
export class DamagedError extends RunError {}

/** Clocks of file systems stand still for some milliseconds: a file this young may change under the same time stamp. */
const CLOCK_TICK_MS = 50;

/** Files of which this process knows the checksum: what tells one state of a file from another, and that checksum. */
const known = new Map<string, { readonly state: string; readonly sha256: string }>();

const stateOf = ({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string =>
  [dev, ino, size, mtimeNs, ctimeNs].join(' ');

/** Keeps in mind what a file that was just written holds, so that it need not be read again. */
export async function rememberChecksum(path: string, { sha256 }: FileChecksum): Promise<void> {
  const stats = await stat(path, { bigint: true }).catch(() => null);
  if (stats !== null) known.set(resolve(path), { state: stateOf(stats), sha256 });
}

/** Length and SHA-256 of a file there is. @throws RunError if it cannot be read */
export async function sha256OfFile(path: string): Promise<FileChecksum> {
  const { size } = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, cause);
  });
  const hash = createHash('sha256');
  await hashBytes(hash, path, size, undefined);
  return { bytes: size, sha256: hash.digest('hex') };
}

export interface CheckOptions {
  /** Read the file even if this process has done so. Default false. */
  readonly again?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks the bytes of a file: once in a process, unless the file has been changed since.
 *
 * @param remedy how to come by the file again
 * @throws DamagedError if it is missing or holds other bytes; RunError if it cannot be read; InterruptedError
 */
export async function checkFile(
  path: string,
  expected: FileChecksum,
  remedy: string,
  options: CheckOptions = {},
): Promise<void> {
  await checkBytes(path, expected.sha256, remedy, options, expected.bytes, async (bytes) => {
    const hash = createHash('sha256');
    await hashBytes(hash, path, bytes, options.signal);
    return { expected: expected.sha256, found: hash.digest('hex') };
  });
}

/** Bytes of the seal at the end of a file that holds its own checksum: SHA-256 of all bytes before. */
export const SEAL_BYTES = 32;

/** Checks a file that ends in its own checksum, as `checkFile` does. */
export async function checkSealed(path: string, remedy: string, options: CheckOptions = {}): Promise<void> {
  await checkBytes(path, 'sealed', remedy, options, null, async (bytes) => {
    const hash = createHash('sha256');
    const end = Buffer.alloc(SEAL_BYTES);
    await hashBytes(hash, path, Math.max(0, bytes - SEAL_BYTES), options.signal, end);
    return { expected: end.toString('hex'), found: hash.digest('hex') };
  });
}

/** Keeps in mind that a file that ends in its own checksum was just written. */
export async function rememberSealed(path: string): Promise<void> {
  await rememberChecksum(path, { bytes: 0, sha256: 'sealed' });
}

async function checkBytes(
  path: string,
  sha256: string,
  remedy: string,
  { again = false }: CheckOptions,
  expectedBytes: number | null,
  digests: (bytes: number) => Promise<{ readonly expected: string; readonly found: string }>,
): Promise<void> {
  const before = await stat(path, { bigint: true }).catch((cause: unknown) => {
    if ((cause as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(path, cause);
    throw new DamagedError({ what: 'the file is missing', where: path, remedy }, { cause });
  });
  const key = resolve(path);
  const state = stateOf(before);
  const found = known.get(key);
  if (!again && found !== undefined && found.state === state && found.sha256 === sha256) return;
  known.delete(key);
  const bytes = Number(before.size);
  if (!before.isFile()) throw damaged(path, 'a file', 'something else', remedy);
  if (expectedBytes !== null && bytes !== expectedBytes) {
    throw damaged(path, `${expectedBytes} bytes`, `${bytes} bytes`, remedy);
  }
  const started = Date.now();
  const digest = await digests(bytes);
  if (digest.found !== digest.expected) {
    const [expected, own] = [digest.expected, digest.found].map((hex) => `SHA-256 ${hex.slice(0, 12)}…`);
    throw damaged(path, expected!, own!, remedy);
  }
  if (started - Number(before.mtimeMs) < CLOCK_TICK_MS) return;
  known.set(key, { state, sha256 });
}

/** Hashes the first bytes of a file; what follows them fills `rest`. */
async function hashBytes(
  hash: Hash,
  path: string,
  bytes: number,
  signal: AbortSignal | undefined,
  rest?: Buffer,
): Promise<void> {
  let done = 0;
  try {
    for await (const data of streamFile(path)) {
      if (signal?.aborted) throw new InterruptedError({ what: 'interrupted' }, { cause: signal.reason });
      const own = Math.min(data.length, Math.max(0, bytes - done));
      hash.update(data.subarray(0, own));
      if (rest !== undefined && own < data.length) rest.set(data.subarray(own), done + own - bytes);
      done += data.length;
    }
  } catch (cause) {
    if (cause instanceof InterruptedError) throw cause;
    throw unreadable(path, cause);
  }
}

function damaged(path: string, expected: string, found: string, remedy: string): DamagedError {
  return new DamagedError({
    what: `${basename(path)} is damaged or of another writing: its bytes are not those that were recorded`,
    where: path,
    expected,
    found,
    remedy,
  });
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
