import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, dirname, join } from 'node:path';

/**
 * Where process ids of this process mean something: a boot of a machine, and within it a namespace of processes. Two
 * containers that share a folder, and even a host name, are two such places. Elsewhere than on Linux the host's name.
 */
export const PLACE: string = placeName();

function placeName(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8')
      .replace(/[^0-9a-f]/g, '')
      .slice(0, 12);
    const namespace = readlinkSync('/proc/self/ns/pid').replace(/\D/g, '');
    return `${boot}.${namespace}`;
  } catch {
    return hostname().replace(/[^\w.]/g, '_');
  }
}

/** `.{name}.{place}-{pid}-{random}.tmp` beside the file: no two writers ever share one, and it is known whose it was. */
export function uniqueName(path: string): string {
  const own = `${PLACE}-${process.pid}-${randomBytes(6).toString('hex')}`;
  return join(dirname(path), `.${basename(path)}.${own}.tmp`);
}

/** Whether a name is that of a temporary of the file whose process, of this place, has ended. */
export function isOrphan(name: string, path: string): boolean {
  const start = `.${basename(path)}.${PLACE}-`;
  if (!name.startsWith(start) || !name.endsWith('.tmp')) return false;
  const pid = Number(name.slice(start.length).split('-')[0]);
  return Number.isSafeInteger(pid) && pid > 0 && !isRunning(pid);
}

/** Whether there is such a process in this place. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (cause) {
    return !(cause instanceof Error && 'code' in cause && cause.code === 'ESRCH');
  }
}
