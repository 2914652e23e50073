import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { CheckpointError } from '../../errors.js';

/** The way out of a file that save_pretrained() cannot have written. */
export const RESAVE = 'download the checkpoint again, or write it with save_pretrained()';

/** Real config.json files have a few kB, shard indices of the largest models a few MB. */
const MAX_JSON_BYTES = 100_000_000; // 100 MB

/** The object in a JSON file of a checkpoint; CheckpointError if it is not valid UTF-8, not JSON or not an object. */
export async function readJsonObject(path: string, remedy: string): Promise<Record<string, unknown>> {
  const text = await readUtf8(path, remedy);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new CheckpointError(
      {
        what: `${basename(path)} is not valid JSON`,
        where: path,
        found: cause instanceof Error ? cause.message : String(cause),
        remedy,
      },
      { cause },
    );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new CheckpointError({
      what: `${basename(path)} does not hold a JSON object`,
      where: path,
      expected: 'an object, {…}',
      found: Array.isArray(value) ? 'an array' : JSON.stringify(value),
      remedy,
    });
  }
  return value as Record<string, unknown>;
}

async function readUtf8(path: string, remedy: string): Promise<string> {
  let bytes: Buffer;
  try {
    // Asked before opening: opening a named pipe would wait for a writer.
    const { size, isFile } = await stat(path).then((s) => ({ size: s.size, isFile: s.isFile() }));
    if (!isFile) throw new Error('not a regular file');
    if (size > MAX_JSON_BYTES) {
      throw new CheckpointError({
        what: `${basename(path)} is too large`,
        where: path,
        expected: `at most ${MAX_JSON_BYTES} bytes`,
        found: `${size} bytes`,
        remedy,
      });
    }
    bytes = await readFile(path);
  } catch (cause) {
    if (cause instanceof CheckpointError) throw cause;
    throw new CheckpointError(
      {
        what: `${basename(path)} cannot be read`,
        where: path,
        found: cause instanceof Error ? cause.message : String(cause),
        remedy: 'check that the file exists and that you may read it',
      },
      { cause },
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new CheckpointError(
      { what: `${basename(path)} is not valid UTF-8`, where: path, remedy },
      { cause },
    );
  }
}
