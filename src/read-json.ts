import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { CheckpointError, type ErrorDetails, InputError, type InputErrorClass, messageOf } from './errors.js';

/** Real config.json files have a few kB, shard indices of the largest models a few MB, tokenizers some 30 MB. */
const MAX_JSON_BYTES = 100_000_000; // 100 MB

/**
 * Reads the object in a JSON file.
 *
 * @param remedy how to come by a file that can be read
 * @throws CheckpointError, or an error of the given class, if the file cannot be read, is not valid UTF-8, not JSON or not an object
 */
export async function readJsonObject(
  path: string,
  remedy: string,
  ErrorType: InputErrorClass = CheckpointError,
): Promise<Record<string, unknown>> {
  const fail = (what: string, more: ErrorDetails | object = {}, cause?: unknown): never => {
    throw new ErrorType({ what: `${basename(path)} ${what}`, where: path, remedy, ...more }, { cause });
  };
  let bytes: Buffer;
  try {
    // Asked before opening: opening a named pipe would wait for a writer.
    const entry = await stat(path);
    if (!entry.isFile()) throw new Error('not a regular file');
    if (entry.size > MAX_JSON_BYTES) {
      fail('is too large', { expected: `at most ${MAX_JSON_BYTES} bytes`, found: `${entry.size} bytes` });
    }
    bytes = await readFile(path);
  } catch (cause) {
    if (cause instanceof InputError) throw cause;
    const check = 'check that the file exists and that you may read it';
    return fail('cannot be read', { found: messageOf(cause), remedy: check }, cause);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    return fail('is not valid UTF-8', {}, cause);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    return fail('is not valid JSON', { found: messageOf(cause) }, cause);
  }
  if (isObject(value)) return value;
  const found = Array.isArray(value) ? 'an array' : JSON.stringify(value);
  return fail('does not hold a JSON object', { expected: 'an object, {…}', found });
}

/** Whether a value of JSON is an object, neither null nor an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
