import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { messageOf } from '../../errors.js';
import type { ReportProblem } from '../problems.js';

/** A file of a published set. */
export interface SourceFile {
  readonly path: string;
  /** Relative to the folder that was given, with forward slashes, without `.gz`: what languages are read from. */
  readonly name: string;
  /** Lower case, without dot and without `gz`; `` where there is none. */
  readonly extension: string;
}

/** Larger files are taken for a mistake: 50,000 items in 100 languages are well below. */
const MOST_BYTES = 1 << 30; // 1 GiB

/** The file at `path`, or all files below it in the order of their names; hidden ones and their folders left out. */
export async function listSourceFiles(path: string): Promise<SourceFile[]> {
  if (!(await stat(path)).isDirectory()) return [sourceFile(path, basename(path))];
  const files: SourceFile[] = [];
  for (const given of await readdir(path, { recursive: true })) {
    if (given.split(sep).some((part) => part.startsWith('.'))) continue;
    const file = join(path, given);
    if ((await stat(file)).isFile()) files.push(sourceFile(file, given.split(sep).join('/')));
  }
  return files.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function sourceFile(path: string, given: string): SourceFile {
  const name = given.replace(/\.gz$/i, '');
  const file = basename(name);
  const dot = file.lastIndexOf('.');
  return { path, name, extension: dot < 0 ? '' : file.slice(dot + 1).toLowerCase() };
}

/**
 * The bytes of a file, unpacked if it is gzip; undefined, and a report, where they cannot be read.
 *
 * @param advice What a report of a file that cannot be read expects and advises.
 */
export async function readBytes(
  path: string,
  report: ReportProblem,
  advice = { expected: 'a readable file', remedy: 'check the path and the file' },
): Promise<Uint8Array | undefined> {
  try {
    const { size } = await stat(path);
    if (size <= MOST_BYTES) {
      const bytes = await readFile(path);
      return path.toLowerCase().endsWith('.gz') ? gunzipSync(bytes, { maxOutputLength: MOST_BYTES }) : bytes;
    }
    report({
      what: 'too large for a probe set',
      where: path,
      expected: `at most ${MOST_BYTES} bytes`,
      found: `${size} bytes`,
      remedy: 'use a part of it, or split it into several sets',
    });
  } catch (error) {
    const found = messageOf(error);
    report({ what: 'cannot be read', where: path, found, ...advice });
  }
  return undefined;
}
