import { basename } from 'node:path';
import { CheckpointError, type ErrorDetails, type InputErrorClass, messageOf } from './errors.js';
import { LfsPointer, readWholeFile } from './read-file.js';

/** Real config.json files have a few kB, shard indices of the largest models a few MB, tokenizers some 30 MB. */
const MAX_JSON_BYTES = 100_000_000; // 100 MB
/** Objects and arrays within each other; no file that is read has ten. Readers that follow them need a stack. */
const MAX_DEPTH = 64;
/** Objects and arrays of a text: one of two bytes takes dozens in memory. Tokenizers list half a million merges. */
const MAX_CONTAINERS = 4_000_000;

/**
 * Reads the object in a JSON file.
 *
 * @param remedy how to come by a file that can be read
 * @throws CheckpointError, or an error of the given class, if the file cannot be read, is not valid UTF-8, not JSON,
 *   nested too deeply or not an object
 */
export async function readJsonObject(
  path: string,
  remedy: string,
  ErrorType: InputErrorClass = CheckpointError,
): Promise<Record<string, unknown>> {
  const value = await readJson(path, remedy, ErrorType);
  if (isObject(value)) return value;
  const found = Array.isArray(value) ? 'an array' : JSON.stringify(value);
  const expected = 'an object, {…}';
  const what = `${basename(path)} does not hold a JSON object`;
  throw new ErrorType({ what, where: path, expected, found, remedy });
}

/** Reads the value in a JSON file. @throws as `readJsonObject`, but for what is no object */
export async function readJson(path: string, remedy: string, ErrorType: InputErrorClass): Promise<unknown> {
  const fail = (what: string, cause: unknown, more: ErrorDetails | object = {}): never => {
    throw new ErrorType({ what: `${basename(path)} ${what}`, where: path, remedy, ...more }, { cause });
  };
  let bytes: Buffer;
  try {
    bytes = await readWholeFile(path, MAX_JSON_BYTES);
  } catch (cause) {
    if (cause instanceof LfsPointer) {
      return fail('is a pointer of Git LFS, not the file itself', cause, { remedy: cause.remedy });
    }
    const check = 'check that the file exists and that you may read it';
    return fail('cannot be read', cause, { found: messageOf(cause), remedy: check });
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    return fail('is not valid UTF-8', cause);
  }
  try {
    return parseJson(text);
  } catch (cause) {
    return fail('is not valid JSON', cause, { found: messageOf(cause) });
  }
}

/** The value of a JSON text. @throws Error if it is none, or nested so deeply that it would exhaust the stack */
export function parseJson(text: string): unknown {
  checkStructure(text);
  return JSON.parse(text);
}

/** Counts brackets outside of strings; for a text that is not JSON any answer is right. */
function checkStructure(text: string): void {
  let depth = 0;
  let containers = 0;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case 0x22: // a quotation mark
        at = endOfString(text, at);
        break;
      case 0x5b: // [
      case 0x7b: // {
        if (++depth > MAX_DEPTH)
          throw new Error(`objects or arrays within each other more than ${MAX_DEPTH} deep`);
        if (++containers > MAX_CONTAINERS) throw new Error(`more than ${MAX_CONTAINERS} objects and arrays`);
        break;
      case 0x5d: // ]
      case 0x7d: // }
        depth--;
    }
  }
}

/** Index of the quote that closes the string opened at `start`, or the last index of the text. */
export function endOfString(json: string, start: number): number {
  for (let end = json.indexOf('"', start + 1); end >= 0; end = json.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (json[end - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return end;
  }
  return json.length - 1;
}

/** Whether a value of JSON is an object, neither null nor an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
