import { existsSync, readFileSync, statSync } from 'node:fs';
import { readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { check, lock } from 'proper-lockfile';
import { z } from 'zod';
import { messageOf, OutputError, RunError } from '../../errors.js';
import { isRunning, PLACE } from '../files/temporary-name.js';
import { makeFolder, toOutputError } from '../files/write-file-atomic.js';

// The library of locks listens to signals, and ends the process where nobody else does. A write beyond the largest file
// that is allowed (`ulimit -f`) sends one, which Node ignores: the write's own error says what happened.
process.on('SIGXFSZ', () => {});

/** A lock that has not been renewed for so long is nobody's any more. */
const STALE_MS = 60_000;
/** It is renewed this often by its owner's event loop. */
const RENEW_MS = 10_000;
/** A writer gives its name as soon as it has the lock. */
const NAMELESS_MS = 5_000;
const NAMELESS_POLL_MS = 200;

const holderSchema = z.object({
  pid: z.number(),
  host: z.string(),
  place: z.string(),
  /** When the process was started, as its system counts; null where that is not known. */
  started: z.string().nullable(),
  since: z.string(),
  what: z.string(),
});

/** Who writes into a folder. */
type Holder = z.infer<typeof holderSchema>;

export interface LockOptions {
  /** What is done meanwhile, for the message to others: `capture`. */
  readonly what: string;
  /** Writers of one folder that do not disturb each other have a name each; they exclude the one without. */
  readonly share?: string | undefined;
}

/**
 * Does work while this process is the only writer of a folder. A lock is a folder within it whose time is renewed, so it
 * holds across machines and containers that share the folder. One whose process ended on this machine is taken over at
 * once; another machine's a minute after it was last renewed.
 *
 * @throws RunError that names the writer, if there is one; RunError if the lock was lost meanwhile; OutputError
 */
export async function withFolderLock<T>(
  folder: string,
  options: LockOptions,
  work: () => Promise<T>,
): Promise<T> {
  const isNew = !existsSync(folder);
  await makeFolder(folder);
  const name = options.share === undefined ? 'writer' : `share-${options.share}`;
  let lost: Error | null = null;
  const take = () => acquire(folder, name, (error) => (lost = error));
  await refuseOthers(folder, name);
  let release: () => Promise<void>;
  try {
    release = await take();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw toOutputError(error, folder);
    await takeOver(folder, name);
    release = await take().catch(async (again: NodeJS.ErrnoException) => {
      throw again.code === 'ELOCKED' ? await heldBy(folder, name) : toOutputError(again, folder);
    });
  }
  const path = holderPath(folder, name);
  try {
    const own: Holder = {
      pid: process.pid,
      host: hostname(),
      place: PLACE,
      started: startOf(process.pid),
      since: new Date().toISOString(),
      what: options.what,
    };
    await writeFile(path, JSON.stringify(own)).catch((cause: unknown) => {
      throw toOutputError(cause, path);
    });
    const result = await work();
    if (lost !== null) throw lockLost(folder, lost);
    return result;
  } finally {
    if (lost === null) {
      await rm(path, { force: true }).catch(() => undefined);
      await release().catch(() => undefined);
    }
    // Work that wrote nothing leaves nothing.
    if (isNew) await rmdir(folder).catch(() => undefined);
  }
}

const lockPath = (folder: string, name: string): string => join(folder, `.${name}.lock`);
const holderPath = (folder: string, name: string): string => join(folder, `.${name}.json`);

function acquire(folder: string, name: string, onLost: (error: Error) => void): Promise<() => Promise<void>> {
  // Locks of one process are told apart by what they lock, which need not be there.
  return lock(join(folder, `.${name}`), {
    realpath: false,
    stale: STALE_MS,
    update: RENEW_MS,
    onCompromised: onLost,
  });
}

/** Shares exclude a writer of the whole, and it them; they do not exclude each other. */
async function refuseOthers(folder: string, name: string): Promise<void> {
  const names = (await readdir(folder)).flatMap(
    (file) => /^\.(writer|share-.+)\.lock$/.exec(file)?.[1] ?? [],
  );
  for (const other of names) {
    if (other === name || (other !== 'writer' && name !== 'writer')) continue;
    await takeOver(folder, other);
    const held = await check(join(folder, `.${other}`), { realpath: false, stale: STALE_MS });
    if (held) throw await heldBy(folder, other);
  }
}

/** Removes a lock whose process, of this place, has ended. One remover at a time, so that none removes a new owner's. */
async function takeOver(folder: string, name: string): Promise<void> {
  // A writer that was killed as it began has left no name; one that is alive gives it in a moment.
  while (isNameless(folder, name) && !hasEnded(folder, name)) await setTimeout(NAMELESS_POLL_MS);
  if (!hasEnded(folder, name)) return;
  const release = await acquire(folder, 'takeover', () => undefined).catch(() => null);
  if (release === null) return;
  try {
    if (!hasEnded(folder, name)) return;
    await rm(holderPath(folder, name), { force: true });
    await rmdir(lockPath(folder, name)).catch(() => undefined);
  } finally {
    await release();
  }
}

function isNameless(folder: string, name: string): boolean {
  return existsSync(lockPath(folder, name)) && readHolder(folder, name) === null;
}

/** Whether the writer that has a lock is no more, as far as can be seen from here. */
function hasEnded(folder: string, name: string): boolean {
  const holder = readHolder(folder, name);
  if (holder === null) {
    const lock = statSync(lockPath(folder, name), { throwIfNoEntry: false });
    return lock !== undefined && Date.now() - lock.mtimeMs > NAMELESS_MS;
  }
  if (holder.place !== PLACE) return false;
  return !isRunning(holder.pid) || startOf(holder.pid) !== holder.started;
}

function readHolder(folder: string, name: string): Holder | null {
  try {
    return holderSchema.parse(JSON.parse(readFileSync(holderPath(folder, name), 'utf8')));
  } catch {
    return null; // not written yet, or gone again
  }
}

/** When a process was started, in ticks since the machine was: process ids are used again. */
function startOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name of the program stands in brackets and may hold anything.
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? null;
  } catch {
    return null;
  }
}

async function heldBy(folder: string, name: string): Promise<RunError> {
  const holder = readHolder(folder, name);
  return new RunError({
    what: 'another process writes into the folder',
    where: folder,
    expected: 'one writer at a time',
    found:
      holder === null
        ? 'one that has just begun'
        : `${holder.what}, process ${holder.pid} on ${holder.host}, since ${holder.since}`,
    remedy: `wait until it has ended, or choose another folder; if it was killed on another machine, repeat the command ${STALE_MS / 1000} seconds later`,
  });
}

function lockLost(folder: string, cause: Error): OutputError {
  return new OutputError(
    {
      what: 'the lock on the folder was lost, so another process may have written into it',
      where: folder,
      found: messageOf(cause),
      remedy: 'repeat the command; `babelscope verify` tells whether the files are whole',
    },
    { cause },
  );
}
