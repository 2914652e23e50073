import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { z } from 'zod';
import { RunError, UsageError } from '../errors.js';
import type { LanguageTag } from '../probes/index.js';
import { SCORES_SCHEMA_VERSION } from '../scores/index.js';
import {
  type ColumnType,
  checkListed,
  type FileChecksum,
  makeFolder,
  otherVersion,
  quoted,
  type RecordName,
  readRecord,
  streamTable,
  type TableValue,
  writeRecord,
} from '../store/index.js';
import { VERSION } from '../version.js';
import { sha256OfFile } from './source-files.js';

/** The layout of `selection.json` and the tables beside it. 3: it lists them with their checksums. */
export const SELECTION_SCHEMA_VERSION = 3;

const selectionSchema = z.object({
  schema: z.literal('babelscope/selection'),
  schemaVersion: z.literal(SELECTION_SCHEMA_VERSION),
  babelscope: z.string(),
  format: z.string(),
  model: z.string(),
  languages: z.array(z.string()),
  /** Known to have that many layers at least; exactly that many where `layersKnown`. */
  layers: z.number().int(),
  layersKnown: z.boolean().default(false),
  /** Neurons of every layer, where somebody said so; no format does. */
  neurons: z.number().int().nullable().default(null),
  /** How units came to be selected: the name of a policy where it is known. */
  rule: z.string(),
  files: z.array(z.object({ name: z.string(), sha256: z.string() })),
});

/** `selection.json`: neurons that somebody else selected, without the numbers that a run has. */
export type SelectionDescription = z.infer<typeof selectionSchema>;

/** A neuron and the languages it was selected for, as indices. */
export interface SelectedUnit {
  readonly layer: number;
  readonly index: number;
  readonly languages: readonly number[];
}

/** A table to be written into the folder of a selection. */
export interface SelectionTable {
  readonly name: 'units' | 'unit_languages';
  readonly columns: readonly { readonly name: string; readonly type: ColumnType; readonly about: string }[];
  readonly rows: readonly (readonly TableValue[])[];
}

const UNIT_COLUMNS: SelectionTable['columns'] = [
  { name: 'type', type: 'string', about: 'neuron' },
  { name: 'layer', type: 'int32', about: 'from 0' },
  { name: 'index', type: 'int32', about: 'within the layer, from 0' },
  { name: 'selected_imported', type: 'string', about: 'languages it was selected for, comma-separated' },
];

/**
 * Writes `units.parquet` (a row a selected neuron), further tables and, last, `selection.json`.
 *
 * @throws UsageError if the folder holds a run or a selection; OutputError.
 */
export async function writeSelection(
  out: string,
  {
    format,
    model,
    languages,
    layers,
    layersKnown,
    neurons = null,
    rule,
    paths,
  }: {
    readonly format: string;
    readonly model: string | undefined;
    readonly languages: readonly LanguageTag[];
    readonly layers: number;
    readonly layersKnown: boolean;
    readonly neurons: number | null | undefined;
    readonly rule: string;
    readonly paths: readonly string[];
  },
  units: readonly SelectedUnit[],
  tables: readonly SelectionTable[] = [],
): Promise<SelectionDescription> {
  if (['manifest.json', 'selection.json'].some((name) => existsSync(join(out, name)))) {
    throw new UsageError({
      what: 'there is a run or a selection in the folder already',
      where: out,
      remedy: 'choose another folder with --out',
    });
  }
  const beyond = units.find(({ index }) => neurons !== null && index >= neurons);
  if (beyond !== undefined) {
    throw new UsageError({
      what: 'the file selects a neuron that the model does not have',
      where: '--neurons',
      expected: `more than ${beyond.index} neurons, for neuron ${beyond.index} of layer ${beyond.layer}`,
      found: String(neurons),
      remedy: 'give the size of an MLP (intermediate_size in config.json) of the model that the file is of',
    });
  }
  const files = [];
  for (const path of paths) {
    files.push({ name: basename(path), sha256: await sha256OfFile(path) });
  }
  const description: SelectionDescription = {
    schema: 'babelscope/selection',
    schemaVersion: SELECTION_SCHEMA_VERSION,
    babelscope: VERSION,
    format,
    model: model ?? basename(resolve(out)),
    languages: [...languages],
    layers,
    layersKnown,
    neurons,
    rule,
    files,
  };
  const selected: SelectionTable = {
    name: 'units',
    columns: UNIT_COLUMNS,
    rows: units.map((unit) => [
      'neuron',
      unit.layer,
      unit.index,
      unit.languages.map((k) => languages[k]!).join(','),
    ]),
  };
  await makeFolder(out);
  const written: Record<string, FileChecksum> = {};
  for (const { name, columns, rows } of [selected, ...tables]) {
    const values = columns.map((_, c) => rows.map((row) => row[c]!));
    written[`${name}.parquet`] = await streamTable(join(out, `${name}.parquet`), columns, [values], {
      schema: `babelscope/${name}`,
      schema_version: String(SCORES_SCHEMA_VERSION),
      babelscope: VERSION,
      imported: JSON.stringify(description),
      languages: JSON.stringify(languages.map((tag) => ({ tag }))),
      columns: JSON.stringify(Object.fromEntries(columns.map((column) => [column.name, column.about]))),
    });
  }
  await writeRecord(join(out, 'selection.json'), description, {
    files: written,
    command: importCommand(description),
  });
  return description;
}

/** The command that imports these files again, with `<folder>` for where they go. */
function importCommand({ files, format, model, languages, neurons, rule }: SelectionDescription): string {
  return [
    `babelscope import ${files.map(({ name }) => quoted(name)).join(' ')} --format ${format} --model ${quoted(model)}`,
    ...(format === 'lape-mask' ? [`--languages ${languages.join(',')}`] : []),
    ...(neurons === null ? [] : [`--neurons ${neurons}`]),
    ...(format.startsWith('lape-') ? [`--rule ${quoted(rule)}`] : []),
    '--out <folder>',
  ].join(' ');
}

/** Whether the folder is that of an imported selection. */
export function isSelection(folder: string): boolean {
  return existsSync(join(folder, 'selection.json'));
}

/** @throws DamagedError if `selection.json` or a table beside it is damaged; RunError if it is of another version. */
export function readSelection(folder: string): Promise<SelectionDescription> {
  return readChecked(folder, 'selection.json', selectionSchema, SELECTION_SCHEMA_VERSION);
}

/**
 * A record of ours, with every file that it lists checked.
 *
 * @throws DamagedError if a byte is not what was written; RunError if it is of another version, or does not fit the schema
 */
export async function readChecked<T>(
  folder: string,
  name: RecordName,
  schema: z.ZodType<T>,
  version: number,
): Promise<T> {
  const path = join(folder, name);
  const record = await readRecord(path, version);
  if (record.files === undefined) throw otherVersion(path, record.value.schemaVersion, version);
  const parsed = schema.safeParse(record.value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new RunError({
      what: `field "${issue.path.join('.')}" is unusable`,
      where: path,
      expected: issue.message,
      remedy: 'import and compare again with this version',
    });
  }
  for (const file of Object.keys(record.files ?? {})) await checkListed(folder, name, record, file);
  return parsed.data;
}
