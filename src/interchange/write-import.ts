import { basename, join, resolve } from 'node:path';
import { SCORES_SCHEMA_VERSION } from '../scores/index.js';
import {
  type ColumnType,
  type FileChecksum,
  makeFolder,
  type RecordName,
  streamTable,
  type TableValue,
  writeRecord,
} from '../store/index.js';
import { VERSION } from '../version.js';
import { sha256OfFile } from './source-files.js';

/** Where an import comes from. */
export interface ImportAbout {
  readonly format: string;
  /** Default: the name of the folder. */
  readonly model: string | undefined;
  readonly paths: readonly string[];
  /** The command that imports the files again, with `<folder>` for where they go. */
  readonly command: string;
}

/** A table to be written into the folder of an import. */
export interface ImportTable {
  readonly name: string;
  readonly columns: readonly { readonly name: string; readonly type: ColumnType; readonly about: string }[];
  readonly rows: readonly (readonly TableValue[])[];
}

/** The fields that every description of an import has. */
export async function describeImport(out: string, { format, model, paths }: ImportAbout) {
  const files = [];
  for (const path of paths) files.push({ name: basename(path), sha256: await sha256OfFile(path) });
  return { babelscope: VERSION, format, model: model ?? basename(resolve(out)), files };
}

/** Writes tables and, last, the JSON that describes them, without which a folder is no import. @throws OutputError */
export async function writeTables(
  out: string,
  tables: readonly ImportTable[],
  {
    name,
    description,
    command,
  }: {
    readonly name: RecordName;
    readonly description: { readonly languages?: readonly string[] };
    readonly command: string;
  },
): Promise<void> {
  await makeFolder(out);
  const files: Record<string, FileChecksum> = {};
  for (const table of tables) {
    const values = table.columns.map((_, c) => table.rows.map((row) => row[c]!));
    const file = `${table.name}.parquet`;
    files[file] = await streamTable(join(out, file), table.columns, [values], {
      schema: `babelscope/${table.name}`,
      schema_version: String(SCORES_SCHEMA_VERSION),
      babelscope: VERSION,
      imported: JSON.stringify(description),
      languages: JSON.stringify((description.languages ?? []).map((tag) => ({ tag }))),
      columns: JSON.stringify(Object.fromEntries(table.columns.map((column) => [column.name, column.about]))),
    });
  }
  await writeRecord(join(out, name), description, { files, command });
}
