import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { RunError, UsageError } from '../errors.js';
import type { LanguageTag } from '../probes/index.js';
import { checkListed, otherVersion, type RecordName, readRecord } from '../store/index.js';
import type { Said } from './formats/facts.js';
import { languageOf, MOST_LAYERS } from './source-files.js';
import { describeImport, type ImportAbout, type ImportTable, writeTables } from './write-import.js';

/** The layout of `selection.json` and the tables beside it. 3: it lists them with their checksums; heads, counts alone. */
export const SELECTION_SCHEMA_VERSION = 3;

/** The rule of a selection whose file does not tell how it was made, as none does. */
export const UNKNOWN_RULE = 'unknown rule';

/** Units that others select. */
export type SelectedType = 'neuron' | 'head';

const selectionSchema = z.object({
  schema: z.literal('babelscope/selection'),
  schemaVersion: z.literal(SELECTION_SCHEMA_VERSION),
  babelscope: z.string(),
  format: z.string(),
  model: z.string(),
  languages: z.array(z.string()),
  /** What is selected. */
  unit: z.enum(['neuron', 'head']).default('neuron'),
  /** Known to have that many layers at least; exactly that many where `layersKnown`. */
  layers: z.number().int().min(0).max(MOST_LAYERS),
  layersKnown: z.boolean().default(false),
  /** Neurons of every layer, where somebody said so. */
  neurons: z.number().int().nonnegative().nullable().default(null),
  /** Attention heads of every layer, where somebody said so. */
  heads: z.number().int().nonnegative().nullable().default(null),
  /** Only counts are known, not which units they are of: `counts.parquet` instead of `units.parquet`. */
  countsAlone: z.boolean().default(false),
  /** How units came to be selected: the name of a policy where it is known. */
  rule: z.string(),
  files: z.array(z.object({ name: z.string(), sha256: z.string() })),
});

/** `selection.json`: units that somebody else selected, without the numbers that a run has. */
export type SelectionDescription = z.infer<typeof selectionSchema>;

/** Units and the languages they belong to, gathered in any order. */
export class Members {
  readonly #languages = new Map<string, Set<number>>();

  /** @param language its place among the languages */
  add(layer: number, index: number, language: number): void {
    const key = `${layer} ${index}`;
    const own = this.#languages.get(key) ?? new Set();
    this.#languages.set(key, own.add(language));
  }

  /** By layer and index; languages ascending. */
  units(): { readonly layer: number; readonly index: number; readonly languages: readonly number[] }[] {
    return [...this.#languages]
      .map(([key, own]) => {
        const [layer = 0, index = 0] = key.split(' ').map(Number);
        return { layer, index, languages: [...own].sort((a, b) => a - b) };
      })
      .sort((a, b) => a.layer - b.layer || a.index - b.index);
  }
}

/** A selection as its files have it. */
export interface ImportedSelection {
  readonly unit: SelectedType;
  readonly languages: readonly LanguageTag[];
  /** All layers, or where they are not known the last that is named. */
  readonly layers: number;
  readonly layersKnown: boolean;
  /** Units of each layer; null where nobody knows. */
  readonly width: number | null;
  readonly rule: string;
  /** null: counts alone. */
  readonly members: Members | null;
  /** [layer][language], where counts alone are known. */
  readonly counts: readonly (readonly number[])[] | null;
  /** Further tables beside that of the selected units. */
  readonly tables?: readonly ImportTable[];
  /** What the user should know of it. */
  readonly notes: readonly string[];
}

/**
 * Holds a selection against what was said of it, and takes over what it does not know: layers and units of a layer.
 *
 * @throws UsageError where they contradict.
 */
export function checkSelection(selection: ImportedSelection, said: Said): ImportedSelection {
  const { facts } = said;
  const { unit, layers, layersKnown, members } = selection;
  const size = unit === 'neuron' ? 'neurons' : 'heads';
  if (facts.layers !== undefined && (layersKnown ? facts.layers !== layers : facts.layers < layers)) {
    throw new UsageError({
      what: 'the file has another number of layers',
      where: said.where('layers'),
      expected: `${layersKnown ? '' : 'at least '}${layers}, as in the file`,
      found: String(facts.layers),
      remedy: 'check which model the file is of',
    });
  }
  const width = facts[size] ?? selection.width;
  const beyond = members?.units().find(({ index }) => width !== null && index >= width);
  if (beyond !== undefined) {
    throw new UsageError({
      what: `the file selects a ${unit} that the model does not have`,
      where: said.where(size),
      expected: `more than ${beyond.index} ${size}, for ${unit} ${beyond.index} of layer ${beyond.layer}`,
      found: String(width),
      remedy:
        unit === 'neuron'
          ? 'give the size of an MLP (intermediate_size in config.json) of the model that the file is of'
          : 'give the heads of a layer (num_attention_heads in config.json); heads are counted from 0',
    });
  }
  assertCounts(selection, said);
  return {
    ...selection,
    width,
    layers: facts.layers ?? layers,
    layersKnown: layersKnown || facts.layers !== undefined,
  };
}

/** Selected units of each language. */
export function countsOf({ languages, members, counts }: ImportedSelection): number[] {
  if (counts !== null) return languages.map((_, k) => counts.reduce((sum, row) => sum + row[k]!, 0));
  const own = languages.map(() => 0);
  for (const unit of members?.units() ?? []) for (const k of unit.languages) own[k]! += 1;
  return own;
}

/** Compares the counts with those that were expected, which finds a wrong order of languages. @throws UsageError */
function assertCounts(selection: ImportedSelection, { facts, where }: Said): void {
  if (facts.counts === undefined) return;
  const place = where('counts');
  const found = new Map(countsOf(selection).map((n, k) => [selection.languages[k]!, n]));
  const expected = new Map(
    Object.entries(facts.counts).map(([code, n]): [LanguageTag, number] => [languageOf(code, place), n]),
  );
  if ([...expected].every(([tag, n]) => found.get(tag) === n)) return;
  const list = (counts: ReadonlyMap<string, number | undefined>) =>
    [...counts].map(([tag, n]) => `${tag}=${n ?? 'none'}`).join(',');
  const order = [...found.values()].map((n) => {
    const fitting = [...expected].filter(([, count]) => count === n);
    return fitting.length === 1 ? fitting[0]![0] : null;
  });
  const fits = !order.includes(null) && new Set(order).size === found.size;
  throw new UsageError({
    what: 'the file has other counts than expected',
    where: place,
    expected: list(expected),
    found: list(new Map([...expected.keys()].map((tag) => [tag, found.get(tag)]))),
    remedy: fits
      ? `the counts fit languages in another order: ${order.join(',')}`
      : 'check the order of languages, the file, and where the counts are from',
  });
}

/**
 * Writes `units.parquet` (a row a selected unit) or, of counts alone, `counts.parquet`, further tables and, last,
 * `selection.json`.
 *
 * @throws OutputError
 */
export async function writeSelection(
  out: string,
  about: ImportAbout,
  selection: ImportedSelection,
): Promise<SelectionDescription> {
  const { unit, languages, layers, layersKnown, width, rule, members, tables = [] } = selection;
  const description: SelectionDescription = {
    schema: 'babelscope/selection',
    schemaVersion: SELECTION_SCHEMA_VERSION,
    ...(await describeImport(out, about)),
    languages: [...languages],
    unit,
    layers,
    layersKnown,
    neurons: unit === 'neuron' ? width : null,
    heads: unit === 'head' ? width : null,
    countsAlone: members === null,
    rule,
  };
  await writeTables(out, [members === null ? countTable(selection) : unitTable(selection), ...tables], {
    name: 'selection.json',
    description,
    command: about.command,
  });
  return description;
}

function unitTable({ unit, languages, members }: ImportedSelection): ImportTable {
  return {
    name: 'units',
    columns: [
      { name: 'type', type: 'string', about: 'neuron or head' },
      { name: 'layer', type: 'int32', about: 'from 0' },
      { name: 'index', type: 'int32', about: 'within the layer, from 0' },
      { name: 'selected_imported', type: 'string', about: 'languages it was selected for, comma-separated' },
    ],
    rows: members!
      .units()
      .map(({ layer, index, languages: own }) => [
        unit,
        layer,
        index,
        own.map((k) => languages[k]!).join(','),
      ]),
  };
}

function countTable({ unit, languages, counts }: ImportedSelection): ImportTable {
  return {
    name: 'counts',
    columns: [
      { name: 'type', type: 'string', about: 'neuron or head' },
      { name: 'layer', type: 'int32', about: 'from 0' },
      { name: 'language', type: 'string', about: 'BCP 47 tag' },
      { name: 'selected', type: 'int32', about: 'units of the layer selected for the language' },
    ],
    rows: counts!.flatMap((row, layer) => row.map((n, k) => [unit, layer, languages[k]!, n])),
  };
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
