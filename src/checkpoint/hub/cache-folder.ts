import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { CheckpointError } from '../../errors.js';

/** A checkpoint as its path in the hub's cache (`models--org--name/snapshots/<revision>`) describes it. */
export interface HubSnapshot {
  /** `org/name`, or `name` for a repository without an organisation. */
  readonly name: string;
  readonly revision: string;
  /** The folder `models--org--name`, which holds both the snapshots and the blobs they link to. */
  readonly modelRoot: string;
}

const MODEL_FOLDER = /^models--(.+)$/;

/** The snapshot a folder is, or null for a folder outside the hub's cache. */
export function parseHubPath(folder: string): HubSnapshot | null {
  const snapshots = dirname(folder);
  const modelRoot = dirname(snapshots);
  const match = MODEL_FOLDER.exec(basename(modelRoot));
  if (match === null || basename(snapshots) !== 'snapshots') return null;
  return { name: match[1]!.replace('--', '/'), revision: basename(folder), modelRoot };
}

/**
 * The snapshot folder meant by `models--org--name`: what `refs/main` points to, or the only one there is.
 * Null if the folder is not of that kind or leaves the choice open.
 */
export async function resolveHubModelFolder(folder: string): Promise<string | null> {
  if (!MODEL_FOLDER.test(basename(folder))) return null;
  const revisions = await readdir(join(folder, 'snapshots')).catch((): string[] => []);
  const main = await readFile(join(folder, 'refs', 'main'), 'utf8').then(
    (text) => text.trim(),
    () => null,
  );
  if (main !== null && revisions.includes(main)) return join(folder, 'snapshots', main);
  return revisions.length === 1 ? join(folder, 'snapshots', revisions[0]!) : null;
}

/** Whether an absolute path lies in a folder (given as absolute, symlinks resolved in both). */
export function isInside(folder: string, path: string): boolean {
  return path.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

/** Deepest folder that holds all of the given absolute paths. @throws CheckpointError where there is none (Windows) */
export function commonFolder(paths: readonly string[]): string {
  let folder = dirname(paths[0]!);
  while (!paths.every((path) => isInside(folder, path))) {
    if (dirname(folder) === folder) {
      throw new CheckpointError({
        what: 'the files lie on different drives, and the runtime reads weights below one folder',
        found: paths.join(', '),
        remedy: 'put them on one drive',
      });
    }
    folder = dirname(folder);
  }
  return folder;
}

/** Whether there is something under a name; a link to a blob that is gone does not count. */
export async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => null)) !== null;
}
