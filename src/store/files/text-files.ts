import { writeFileAtomic } from './write-file-atomic.js';

/** Longest value that is kept on one line. */
const LINE_LENGTH = 100;

/** Writes a value as JSON for people, whole or not at all. @throws OutputError */
export async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFileAtomic(path, [new TextEncoder().encode(`${formatJson(value)}\n`)]);
}

/** JSON for people: indented, but values that fit on a line stay on one. Keys keep their order. */
export function formatJson(value: unknown, indent = ''): string {
  const compact = JSON.stringify(value);
  if (typeof value !== 'object' || value === null || indent.length + compact.length <= LINE_LENGTH)
    return compact;
  const inner = `${indent}  `;
  const lines = Array.isArray(value)
    ? value.map((entry) => inner + formatJson(entry ?? null, inner))
    : Object.entries(value)
        .filter(([, entry]) => entry !== undefined)
        .map(([key, entry]) => `${inner}${JSON.stringify(key)}: ${formatJson(entry, inner)}`);
  const [start, end] = Array.isArray(value) ? '[]' : '{}';
  return `${start}\n${lines.join(',\n')}\n${indent}${end}`;
}

/** Fields as a line of CSV with its end (RFC 4180, 2005); what is missing is an empty field. */
export function csvLine(fields: readonly (string | number | boolean | null)[]): string {
  return `${fields.map(csvField).join(',')}\r\n`;
}

function csvField(value: string | number | boolean | null): string {
  const text = value === null ? '' : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
