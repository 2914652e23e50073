import { statfs } from 'node:fs/promises';
import { OutputError } from '../../errors.js';

/**
 * Checks that a disk has room for what is about to be written.
 *
 * @param folder there already
 * @throws OutputError with both numbers; file systems that do not say how much they have are believed to have enough
 */
export async function requireSpace(folder: string, bytes: number): Promise<void> {
  const disk = await statfs(folder).catch(() => null);
  if (disk === null || disk.blocks === 0) return;
  const free = disk.bavail * disk.bsize;
  if (free >= bytes) return;
  throw new OutputError({
    what: 'the disk does not have the room that the capture takes',
    where: folder,
    expected: `${gigabytes(bytes)} for parts and layers`,
    found: `${gigabytes(free)} free`,
    remedy: 'free some space, write to another disk with --out, or record less (--keep folds, fewer items)',
  });
}

function gigabytes(bytes: number): string {
  const rounded = (bytes / 1e9).toLocaleString('en', { maximumFractionDigits: 1 });
  return `${Math.ceil(bytes).toLocaleString('en')} bytes (${rounded} GB)`;
}
