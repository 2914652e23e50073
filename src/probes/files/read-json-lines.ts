import { messageOf } from '../../errors.js';
import { parseJson as parseText } from '../../read-json.js';
import type { ReportProblem } from '../problems.js';

export interface JsonLine {
  /** Counted from 1, as editors do. */
  readonly line: number;
  readonly value: unknown;
}

const LINE_FEED = 0x0a;

/** A record of a table, which holds a prompt in some or all languages. A line that never ends is none. */
export const MOST_RECORD_BYTES = 2 ** 24; // 16 MiB

/**
 * The JSON values of a file with one a line. Blank lines are skipped; a line that is not UTF-8 or not JSON goes to
 * `report` with its number. Lines are split before they are decoded, so that the number is right in a broken file.
 */
export function* readJsonLines(bytes: Uint8Array, file: string, report: ReportProblem): Generator<JsonLine> {
  let line = 0;
  for (let start = 0; start < bytes.length; ) {
    const feed = bytes.indexOf(LINE_FEED, start);
    const end = feed === -1 ? bytes.length : feed;
    line += 1;
    if (end - start > MOST_RECORD_BYTES) {
      report({
        what: 'a line that is too long',
        where: `${file}:${line}`,
        expected: `at most ${MOST_RECORD_BYTES} bytes`,
        found: `${end - start} bytes`,
        remedy: 'write one record a line; a JSON array belongs into a file that ends in .json',
      });
      start = end + 1;
      continue;
    }
    const text = decodeUtf8(bytes.subarray(start, end), `${file}:${line}`, report);
    start = end + 1;
    if (text === undefined || text.trim() === '') continue;
    const parsed = parseJson(text, `${file}:${line}`, report);
    if (parsed !== undefined) yield { line, value: parsed.value };
  }
}

/** The text of UTF-8 `bytes`, without a byte order mark; anything else goes to `report`. */
export function decodeUtf8(bytes: Uint8Array, where: string, report: ReportProblem): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    report({
      what: 'invalid UTF-8',
      where,
      expected: 'text in UTF-8',
      found: `bytes that no UTF-8 text contains, in ${bytes.length} bytes`,
      remedy: 'save the file as UTF-8, for example with: iconv -f <its encoding> -t UTF-8',
    });
    return undefined;
  }
}

/** The value in a JSON text, wrapped because `null` is one; anything else goes to `report`. */
export function parseJson(
  text: string,
  where: string,
  report: ReportProblem,
): { value: unknown } | undefined {
  try {
    return { value: parseText(text) };
  } catch (error) {
    report({
      what: 'malformed JSON',
      where,
      expected: 'one complete JSON object',
      found: messageOf(error),
      remedy:
        'mend this line, or write the file again; a last line cut off means that writing it was interrupted',
    });
    return undefined;
  }
}
