import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readComparison } from '../compare/index.js';
import { RunError } from '../errors.js';
import { checkScoreTable } from '../scores/index.js';
import {
  checkListed,
  csvLine,
  makeFolder,
  readRecord,
  readTableMetadata,
  readTableRows,
  writeFileAtomic,
} from '../store/index.js';
import { languagesIn } from './table-metadata.js';

/** Tables that a run, a comparison, an imported selection or matrix may have. */
const TABLES = ['units', 'unit_languages', 'alignment', 'changes', 'counts', 'matrix'] as const;

/**
 * Writes the tables of a scored run, or of a comparison, as CSV (RFC 4180, 2005): a header, lines that end in CR LF,
 * nothing where a value is missing, numbers that read back exactly. A row group is held at a time, whatever the size.
 * `languages.csv` beside them has the prompts and counted tokens T_k of each language, which the tables' metadata have.
 *
 * @returns paths of the files written.
 * @throws RunError if the folder has no table, or one that is damaged or does not belong to the others; OutputError.
 */
export async function exportCsv(folder: string, out: string): Promise<string[]> {
  const present = TABLES.filter((table) => existsSync(join(folder, `${table}.parquet`)));
  if (present.length === 0) {
    throw new RunError({
      what: 'there is no table to export',
      where: folder,
      expected: TABLES.map((table) => `${table}.parquet`).join(' or '),
      remedy: 'score the run first (babelscope score), or give a comparison',
    });
  }
  // Before anything is written: tables that do not belong together are not exported.
  for (const table of present) {
    if (table === 'changes') await readComparison(folder);
    else if (table === 'counts' || table === 'matrix') await checkImported(folder, table);
    else await checkScoreTable(folder, table);
  }
  await makeFolder(out);
  const written: string[] = [];
  for (const table of present) {
    const path = join(out, `${table}.csv`);
    await writeFileAtomic(path, lines(join(folder, `${table}.parquet`)));
    written.push(path);
  }
  const { languages } = await readTableMetadata(join(folder, `${present[0]!}.parquet`));
  if (languages !== undefined) {
    const path = join(out, 'languages.csv');
    await writeFileAtomic(path, [new TextEncoder().encode(languageLines(languagesIn(languages, folder)))]);
    written.push(path);
  }
  return written;
}

/** A table that imports alone have, against the record beside it. @throws RunError */
async function checkImported(folder: string, table: 'counts' | 'matrix'): Promise<void> {
  const name = table === 'counts' ? 'selection.json' : 'matrix.json';
  await checkListed(folder, name, await readRecord(join(folder, name), null), `${table}.parquet`);
}

function languageLines(languages: ReturnType<typeof languagesIn>): string {
  return [
    csvLine(['tag', 'prompts', 'tokens']),
    ...languages.map(({ tag, prompts, tokens }) => csvLine([tag, prompts ?? null, tokens ?? null])),
  ].join('');
}

/** Rows that become text at once. */
const ROWS_AT_ONCE = 4096;

async function* lines(path: string): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  let first = true;
  for await (const { names, columns, rows } of readTableRows(path)) {
    if (first) yield encoder.encode(csvLine(names));
    first = false;
    for (let start = 0; start < rows; start += ROWS_AT_ONCE) {
      let text = '';
      for (let row = start; row < Math.min(rows, start + ROWS_AT_ONCE); row++) {
        text += csvLine(columns.map((values) => values[row] ?? null));
      }
      yield encoder.encode(text);
    }
  }
}
