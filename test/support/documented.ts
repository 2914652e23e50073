import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

const DOCS = fileURLToPath(new URL('../../docs/files.md', import.meta.url));

/** Cells of each row of a table of docs/files.md, without its head. */
export async function documented(marker: string): Promise<string[][]> {
  const text = await readFile(DOCS, 'utf8');
  const section = text.split(`<!-- ${marker} -->`)[1]!.split('<!-- end -->')[0]!;
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows.map((line) => line.slice(2, -2).split(/(?<!\\) \| /));
}

/** Fields of a table of docs/files.md. */
export async function documentedFields(marker: string): Promise<string[]> {
  const rows = await documented(`fields ${marker}`);
  return rows.flatMap(([names]) => names!.replaceAll('`', '').split(', ')).sort();
}
