/** Writes the tables of docs/files.md and docs/scores.md from what the code says of its columns and scores: npx tsx scripts/make-files-doc.ts */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { CHANGE_COLUMNS } from '../src/compare/index.js';
import {
  ALIGNMENT_COLUMNS,
  SCORE_DEFINITIONS,
  UNIT_COLUMNS,
  UNIT_LANGUAGE_COLUMNS,
} from '../src/scores/index.js';
import { RUN_ARRAYS } from '../src/store/index.js';
import { renderScoresPage } from './score-table.js';

const PATH = fileURLToPath(new URL('../docs/files.md', import.meta.url));
const tables = {
  units: UNIT_COLUMNS,
  unit_languages: UNIT_LANGUAGE_COLUMNS,
  alignment: ALIGNMENT_COLUMNS,
  changes: CHANGE_COLUMNS,
};
const TYPES = { float64: 'double', int32: 'int', string: 'string', boolean: 'boolean' };

const ARRAY_TYPES = { F64: 'float64', F32: 'float32', F16: 'float16', U32: 'uint32' };

let text = await readFile(PATH, 'utf8');
const arrays = Object.entries(RUN_ARRAYS).map(
  ([name, { dtype, axes, measure, about }]) =>
    `| \`${name}\` | ${ARRAY_TYPES[dtype]} [${axes.join(', ')}] | ${measure} | ${about} |`,
);
replaceTable('arrays', [
  '| array | type and shape | unit | what it is |',
  '| --- | --- | --- | --- |',
  ...arrays,
]);
for (const [name, columns] of Object.entries(tables)) {
  const rows = columns.map(
    ({ name: column, type, about }) => `| \`${column}\` | ${TYPES[type]} | ${about.replaceAll('|', '\\|')} |`,
  );
  replaceTable(`columns ${name}`, ['| column | type | what it is |', '| --- | --- | --- |', ...rows]);
}
await writeFile(PATH, text);
const scores = fileURLToPath(new URL('../docs/scores.md', import.meta.url));
await writeFile(scores, renderScoresPage(await readFile(scores, 'utf8'), SCORE_DEFINITIONS));

function replaceTable(marker: string, lines: readonly string[]): void {
  text = text.replace(
    new RegExp(`(<!-- ${marker} -->\n)[\\s\\S]*?(<!-- end -->)`),
    (_, start: string, end: string) => `${start}${lines.join('\n')}\n${end}`,
  );
}
