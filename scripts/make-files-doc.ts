/** Writes the tables of docs/files.md from what the code says of its columns: npx tsx scripts/make-files-doc.ts */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { SCORE_CHANGE_COLUMNS } from '../src/compare/index.js';
import { ALIGNMENT_COLUMNS, UNIT_COLUMNS, UNIT_LANGUAGE_COLUMNS } from '../src/scores/index.js';

const PATH = fileURLToPath(new URL('../docs/files.md', import.meta.url));
const tables = {
  units: UNIT_COLUMNS,
  unit_languages: UNIT_LANGUAGE_COLUMNS,
  alignment: ALIGNMENT_COLUMNS,
  score_changes: SCORE_CHANGE_COLUMNS,
};
const TYPES = { float64: 'double', int32: 'int', string: 'string', boolean: 'boolean' };

let text = await readFile(PATH, 'utf8');
for (const [name, columns] of Object.entries(tables)) {
  const rows = columns.map(
    ({ name: column, type, about }) => `| \`${column}\` | ${TYPES[type]} | ${about.replaceAll('|', '\\|')} |`,
  );
  const table = ['| column | type | what it is |', '| --- | --- | --- |', ...rows].join('\n');
  text = text.replace(
    new RegExp(`(<!-- columns ${name} -->\n)[\\s\\S]*?(<!-- end -->)`),
    (_, start: string, end: string) => `${start}${table}\n${end}`,
  );
}
await writeFile(PATH, text);
