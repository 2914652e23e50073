import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { BabelscopeError, OutputError } from './errors.js';

interface Advice {
  readonly what: string;
  /** What to do; `with ELSEWHERE` ends as `with --out`. */
  readonly remedy: string;
}

const DENIED: Advice = {
  what: 'may not be written',
  remedy: 'check permissions, or write elsewhere with ELSEWHERE',
};
const FULL: Advice = {
  what: 'the disk is full',
  remedy: 'free some space, or write to another disk with ELSEWHERE',
};
const CROWDED: Advice = {
  what: 'too many files are open',
  remedy: 'close other programs, or allow more with ulimit -n',
};
const AWAY: Advice = {
  what: 'the network file system does not answer',
  remedy: 'run the same command again once it does, or write to a local disk with ELSEWHERE',
};
const NOT_FOLDER: Advice = {
  what: 'the folder to write to cannot be made: a part of its path is a file',
  remedy: 'check the path given with ELSEWHERE',
};

/** What a failed write means to the user, by the code of the operating system. */
const ADVICE: Readonly<Record<string, Advice>> = {
  ENOSPC: FULL,
  EDQUOT: { ...FULL, what: 'the disk quota is used up' },
  EFBIG: { what: 'the file is larger than the disk allows', remedy: 'write to another disk with ELSEWHERE' },
  EIO: {
    what: 'the disk reports a fault of its own',
    remedy: 'look at the log of the system, and write to another disk with ELSEWHERE',
  },
  EACCES: DENIED,
  EPERM: DENIED,
  EROFS: { what: 'the disk is read-only', remedy: 'write to another disk with ELSEWHERE' },
  ENOENT: {
    what: 'the folder to write to does not exist and cannot be made',
    remedy: 'check the path given with ELSEWHERE: a part of it is gone, or its file system takes no folders',
  },
  ENOTDIR: NOT_FOLDER,
  EEXIST: NOT_FOLDER,
  EISDIR: { what: 'there is a folder of that name', remedy: 'remove it, or write elsewhere with ELSEWHERE' },
  ENAMETOOLONG: {
    what: 'the name is longer than the file system allows',
    remedy: 'give a shorter path with ELSEWHERE',
  },
  ELOOP: { what: 'its links lead in a circle', remedy: 'check the path given with ELSEWHERE' },
  EMFILE: CROWDED,
  ENFILE: CROWDED,
  ESTALE: AWAY,
  ETIMEDOUT: AWAY,
  EBUSY: { what: 'another program holds it', remedy: 'end that program, or write elsewhere with ELSEWHERE' },
};
const OTHER: Advice = { what: 'cannot be written', remedy: 'write elsewhere with ELSEWHERE' };

/**
 * The typed error of a failed call of the file system. Errors of ours, and those that are not of the operating system,
 * are given back as they are.
 *
 * @param elsewhere The option or variable that names another place.
 */
export function outputError(cause: unknown, where: string, elsewhere: string): unknown {
  if (cause instanceof BabelscopeError || !(cause instanceof Error) || !('code' in cause)) return cause;
  // Codes of Node itself begin with ERR_, and are no matter of the folder.
  if (!/^E[A-Z0-9]+$/.test(String(cause.code))) return cause;
  const { what, remedy } = ADVICE[String(cause.code)] ?? OTHER;
  const named = remedy.replace('ELSEWHERE', elsewhere);
  return new OutputError({ what, where, found: cause.message, remedy: named }, { cause });
}

/** Faults of disks and of the system: whichever call meets them, and wherever, they are none of ours. */
const DEVICE = new Set(['EIO', 'ENOSPC', 'EDQUOT', 'EROFS', 'ESTALE', 'EMFILE', 'ENFILE']);

/** A fault of a disk that nobody told apart before, as a typed error; everything else as it is. */
export function deviceError(cause: unknown): unknown {
  const { code, path } = (cause ?? {}) as NodeJS.ErrnoException;
  if (!DEVICE.has(String(code))) return cause;
  return outputError(cause, path || 'a file that was open', '--out');
}

/**
 * Makes a folder and those above it, each once. Node's own way of it goes round in circles in `/proc`, and says of a
 * read-only disk that the folder does not exist.
 */
export async function makeFolders(path: string): Promise<void> {
  const missing: string[] = [];
  let folder = resolve(path);
  while (!(await isThere(folder)) && dirname(folder) !== folder) {
    missing.unshift(folder);
    folder = dirname(folder);
  }
  for (const one of missing) {
    await mkdir(one).catch(async (cause: NodeJS.ErrnoException) => {
      // Another process may have made it meanwhile.
      if (cause.code !== 'EEXIST' || !(await isThere(one))) throw cause;
    });
  }
}

/** Whether there is a folder. @throws what the system says where it cannot be known, or where there is something else */
async function isThere(path: string): Promise<boolean> {
  const entry = await stat(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return null;
    throw cause;
  });
  if (entry === null || entry.isDirectory()) return entry !== null;
  throw Object.assign(new Error(`ENOTDIR: not a directory, ${path}`), { code: 'ENOTDIR', syscall: 'mkdir' });
}
