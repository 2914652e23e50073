import { redact } from '../secrets.js';

/**
 * Characters that a terminal acts on and does not show: controls but for line breaks and tabs, those that turn the
 * direction of writing, breaks of lines that are no `\n`, and halves of surrogate pairs.
 */
const UNPRINTABLE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** A text as it may go to a terminal: names of files, items and labels are anybody's. Secrets are `***`. */
export function printable(text: string): string {
  return redact(text).replace(UNPRINTABLE, (character) => escaped(character));
}

/** The same on one line. */
export function printableLine(text: string): string {
  return printable(text).replaceAll('\n', '\\n').replaceAll('\t', ' ');
}

/** A value as JSON, in which every character that a terminal would act on is escaped as JSON escapes. */
export function printableJson(value: unknown): string {
  return redact(JSON.stringify(value, null, 2)).replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `\x1b`, `\u202e`. */
function escaped(character: string): string {
  const code = character.charCodeAt(0).toString(16);
  return code.length <= 2 ? `\\x${code.padStart(2, '0')}` : `\\u${code.padStart(4, '0')}`;
}
