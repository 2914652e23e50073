import { readdir, stat } from 'node:fs/promises';
import { basename, join, sep } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { messageOf } from '../../errors.js';
import { readWholeFile } from '../../read-file.js';
import type { FileLanguage } from '../languages/file-languages.js';
import type { ReportProblem } from '../problems.js';
import type { LanguageTag } from '../types.js';

/** A file of a published set. */
export interface SourceFile {
  readonly path: string;
  /** Relative to the folder that was given, with forward slashes, without `.gz`: what languages are read from. */
  readonly name: string;
  /** Lower case, without dot and without `gz`; `` where there is none. */
  readonly extension: string;
  /** The language that its name says, seen beside the names of the other files; absent where it says none. */
  readonly named?: FileLanguage | undefined;
  /** Languages found in it so far, by how they are written there. */
  readonly seen?: Map<string, LanguageTag>;
}

/** Larger files are taken for a mistake, unpacked ones too: a million prompts of a language are well below. */
const MOST_BYTES = 2 ** 28; // 256 MiB
/** Text unpacks to some four times its size, tables that repeat themselves to forty; gzip could do a thousand. */
const MOST_TIMES_UNPACKED = 100;
/** Small files of few different lines may unpack to more. */
const ALWAYS_UNPACKED_BYTES = 2 ** 24; // 16 MiB

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
    const bytes = await readWholeFile(path, MOST_BYTES);
    return path.toLowerCase().endsWith('.gz') ? await unpack(bytes) : bytes;
  } catch (error) {
    const found = messageOf(error);
    report({ what: 'cannot be read', where: path, found, ...advice });
    return undefined;
  }
}

async function unpack(bytes: Uint8Array): Promise<Uint8Array> {
  const justified = Math.max(ALWAYS_UNPACKED_BYTES, MOST_TIMES_UNPACKED * bytes.byteLength);
  const maxOutputLength = Math.min(MOST_BYTES, justified);
  try {
    return await promisify(gunzip)(bytes, { maxOutputLength });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ERR_BUFFER_TOO_LARGE') throw cause;
    const found = `${bytes.byteLength} bytes of gzip that unpack to more than ${maxOutputLength}`;
    throw new Error(found, { cause });
  }
}
