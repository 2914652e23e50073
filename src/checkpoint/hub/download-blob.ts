import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, rename, rm, stat } from 'node:fs/promises';
import { BabelscopeError, HubError, InterruptedError, OutputError } from '../../errors.js';
import { outputError } from '../../system-errors.js';
import { pause, unreachable, waitBefore } from './hub-fetch.js';
import type { HubReference } from './reference.js';

/** One file of a model, as the hub lists it. */
export interface HubFile {
  readonly path: string;
  readonly bytes: number;
  /** Name of its blob in the cache: the SHA-256 of a large file, git's SHA-1 of a small one. */
  readonly oid: string;
  readonly digest: 'sha256' | 'git-sha1';
}

export interface BlobDownload {
  readonly reference: HubReference;
  readonly file: HubFile;
  readonly url: string;
  readonly fetch: typeof fetch;
  /** Where the blob goes. Until it is whole it is called `<path>.incomplete`, as Python's huggingface_hub calls it. */
  readonly path: string;
  readonly signal: AbortSignal | undefined;
  /** Bytes there are so far, those of an earlier try included. */
  readonly onBytes: (bytes: number) => void;
}

/** Breaks of the connection in a row, without one byte gained, after which a download is given up. */
const FRUITLESS_TRIES = 5;
/** Breaks of the connection altogether after which it is given up: these, and one more for each MiB of the file. */
const TRIES = 100;
/** A connection that carries fewer bytes than this in this time counts as broken. */
const SLOWEST = { bytes: 60_000, milliseconds: 60_000 };

/**
 * Fetches a blob, going on behind what an earlier try left, and gives it its name once its hash is right. Two processes
 * that fetch the same blob write the same bytes to the same places, and do not harm each other.
 *
 * @throws HubError if the connection keeps breaking or the hash is wrong (what was fetched is then removed);
 *   OutputError if the cache cannot be written, or holds a link where the download goes; InterruptedError on abort,
 *   what was fetched is kept
 */
export async function downloadBlob(download: BlobDownload): Promise<void> {
  const { path, file } = download;
  const incomplete = `${path}.incomplete`;
  try {
    const handle = await openOwn(incomplete);
    let found: string;
    try {
      await fetchRest(download, handle);
      await handle.sync();
      found = await digestOf(handle, file);
    } finally {
      await handle.close();
    }
    if (found !== file.oid) {
      await rm(incomplete, { force: true });
      throw wrongContent(download, `${file.digest} ${file.oid}`, `${file.digest} ${found}`);
    }
    await rename(incomplete, path);
  } catch (cause) {
    // Another process that fetched the same blob was first to name it.
    if (isMissing(cause) && (await stat(path).catch(() => null)) !== null) return;
    throw toCacheError(cause, path);
  }
}

/** Opens a file of the cache for writing. Where others may write too, a link there would lead to a file of the user's. */
async function openOwn(path: string): Promise<FileHandle> {
  const { O_RDWR, O_CREAT, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  const foreign = (found: string) =>
    new OutputError({
      what: "the hub's cache has something else where a download goes",
      where: path,
      expected: 'a file',
      found,
      remedy: 'remove it, and look who may write into the cache; or name another folder with HF_HUB_CACHE',
    });
  const handle = await open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o666).catch(
    async (cause: unknown) => {
      if (
        await lstat(path).then(
          (entry) => entry.isSymbolicLink(),
          () => false,
        )
      )
        throw foreign('a link');
      throw cause;
    },
  );
  const entry = await handle.stat();
  if (entry.isFile() && entry.nlink <= 1) return handle;
  await handle.close();
  throw foreign(entry.isFile() ? 'a file with another name besides' : 'neither a file nor a folder');
}

async function fetchRest(download: BlobDownload, handle: FileHandle): Promise<void> {
  const { file, signal, onBytes } = download;
  let have = (await handle.stat()).size;
  const startOver = async () => {
    await handle.truncate(0);
    have = 0;
  };
  if (have > file.bytes) await startOver();
  onBytes(have);
  let [fruitless, tries, most] = [0, 0, have];
  while (have < file.bytes) {
    const response = await request(download, have);
    if (have > 0 && response.status !== 206) await startOver(); // a server that knows no ranges sends all of it
    const pace = new Pace();
    try {
      for await (const chunk of response.body ?? []) {
        pace.note(chunk.byteLength);
        if (have + chunk.byteLength > file.bytes) {
          await startOver();
          throw wrongContent(download, `${file.bytes} bytes`, 'more');
        }
        await writeAll(handle, chunk, have);
        have += chunk.byteLength;
        onBytes(have);
      }
      if (have < file.bytes) throw new Error(`the answer ended after ${have} of ${file.bytes} bytes`);
    } catch (cause) {
      if (signal?.aborted) throw new InterruptedError({ what: 'interrupted' }, { cause });
      if (cause instanceof BabelscopeError || isSystemError(cause)) throw cause;
      // A server without ranges begins anew each time: only what was never there before is gained.
      fruitless = have > most ? 0 : fruitless + 1;
      most = Math.max(most, have);
      if (fruitless === FRUITLESS_TRIES || ++tries >= TRIES + file.bytes / 2 ** 20)
        throw unreachable(new URL(download.url), download.reference, cause);
      await pause(waitBefore(fruitless + 1), signal);
    }
  }
}

/** Notices that a connection carries next to nothing. */
class Pace {
  #since = performance.now();
  #bytes = 0;

  note(bytes: number): void {
    this.#bytes += bytes;
    const passed = performance.now() - this.#since;
    if (passed < SLOWEST.milliseconds) return;
    if (this.#bytes < SLOWEST.bytes)
      throw new Error(`only ${this.#bytes} bytes came in ${Math.round(passed / 1000)} s`);
    this.#since = performance.now();
    this.#bytes = 0;
  }
}

async function request(download: BlobDownload, have: number): Promise<Response> {
  const { url, fetch } = download;
  const response = await fetch(url, have === 0 ? {} : { headers: { range: `bytes=${have}-` } });
  const range = response.headers.get('content-range');
  if (response.status === 206 && !range?.startsWith(`bytes ${have}-`)) {
    throw wrongContent(
      download,
      `an answer for bytes ${have} and on`,
      `bytes of ${range ?? 'an unknown place'}`,
    );
  }
  return response;
}

async function writeAll(handle: FileHandle, chunk: Uint8Array, position: number): Promise<void> {
  let done = 0;
  while (done < chunk.byteLength) {
    done += (await handle.write(chunk, done, chunk.byteLength - done, position + done)).bytesWritten;
  }
}

/** Hex. git's SHA-1 of a file is over `blob <bytes>\0` and its content. */
async function digestOf(handle: FileHandle, { digest, bytes }: HubFile): Promise<string> {
  const hash = createHash(digest === 'sha256' ? 'sha256' : 'sha1');
  if (digest === 'git-sha1') hash.update(`blob ${bytes}\0`);
  for await (const chunk of handle.createReadStream({ start: 0, autoClose: false })) hash.update(chunk);
  return hash.digest('hex');
}

function wrongContent({ file, url }: BlobDownload, expected: string, found: string): HubError {
  return new HubError({
    what: `what came is not the file ${file.path} that the hub lists`,
    where: url,
    expected,
    found,
    remedy:
      'it was thrown away; run the same command again, and if this repeats ask who runs the proxy or mirror',
  });
}

/** The file system's errors name their system call; those of the network arrive wrapped by undici. */
function isSystemError(cause: unknown): boolean {
  return cause instanceof Error && 'syscall' in cause;
}

function isMissing(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}

/** Says what a failed call of the file system below the cache means to the user; other errors are kept. */
export function toCacheError(cause: unknown, path: string): unknown {
  return outputError(cause, path, 'HF_HUB_CACHE');
}
