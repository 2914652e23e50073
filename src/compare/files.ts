import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RunError } from '../errors.js';
import type { ExpertSizes } from '../hooks/index.js';
import {
  type ColumnType,
  expertOfUnit,
  makeFolder,
  ROW_GROUP_ROWS,
  removeStale,
  streamTable,
  type TableValue,
  writeJson,
} from '../store/index.js';
import { COMPARISON_SCHEMA_VERSION, type Comparison, comparisonSchema } from './comparison.js';
import { NOT_SELECTED } from './inputs/tally.js';
import {
  CHANGE_PARTS,
  type ComparisonWithChanges,
  UNIT_CHANGE_SCORES,
  type UnitChangeScore,
  type UnitChanges,
  unitChanges,
} from './unit-changes.js';

/** The file a comparison is in. */
export const COMPARISON_FILE = 'comparison.json';
/** Its unit table: one row a unit and run but the reference. */
export const CHANGES_FILE = 'changes.parquet';
/** How each score of each unit changed, in each language; written where asked for. */
export const SCORE_CHANGES_FILE = 'score_changes.parquet';

/**
 * Writes `comparison.json`, and `changes.parquet` if the comparison is fresh from `compareRuns` and of two runs or
 * more. Each file exists whole or not at all; the same comparison gives the same bytes. A fresh comparison removes the tables
 * of an earlier one in the folder: write `score_changes.parquet` after it.
 *
 * Columns of the table: `label` (the run compared with the reference), `type`, `layer`, `index`, `expert`; of each of
 * `UNIT_CHANGE_SCORES`, say lape: `lape_reference`, `lape_other`, `delta_lape` (other − reference) with its paired jackknife
 * `_se`, `_low`, `_high`, `_p` and the q-value `_q` (Benjamini–Hochberg over the units of a type); `language_reference`,
 * `language_other`: top language of a unit that is selected under the `reference` policy, else null. What cannot be
 * computed is null.
 *
 * @throws OutputError if the folder cannot be written.
 */
export async function writeComparison(
  folder: string,
  comparison: Comparison | ComparisonWithChanges,
): Promise<void> {
  await makeFolder(folder);
  const fresh = unitChanges in comparison;
  const changes = fresh ? comparison[unitChanges] : [];
  if (fresh) {
    if (changes.length === 0) await removeStale(join(folder, CHANGES_FILE));
    await removeStale(join(folder, SCORE_CHANGES_FILE));
  }
  const tags = comparison.languages.map(({ tag }) => tag);
  if (changes.length > 0) {
    const columns = changeColumns(tags, comparison.shape);
    await streamTable(join(folder, CHANGES_FILE), columns, rowsOf(changes, columns), {
      schema: 'babelscope/changes',
      schema_version: String(COMPARISON_SCHEMA_VERSION),
      reference: comparison.runs[0]!.label,
      languages: JSON.stringify(comparison.runs[0]!.languages),
    });
  }
  // Last, so that a folder with a comparison.json is complete.
  await writeJson(join(folder, COMPARISON_FILE), comparisonSchema.parse(comparison));
}

/**
 * Reads `comparison.json` of a folder.
 *
 * @throws RunError if it is missing, malformed or of another schema than this version's.
 */
export async function readComparison(folder: string): Promise<Comparison> {
  const path = join(folder, COMPARISON_FILE);
  const remedy = 'Give the folder that `babelscope compare --out <folder>` wrote, or compare again.';
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new RunError({ what: 'there is no comparison to read', where: path, remedy }, { cause });
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new RunError({ what: 'the comparison is not valid JSON', where: path, remedy }, { cause });
  }
  const version =
    typeof value === 'object' && value !== null && 'schemaVersion' in value && value.schemaVersion;
  if (typeof version === 'number' && version !== COMPARISON_SCHEMA_VERSION) {
    const newer = version > COMPARISON_SCHEMA_VERSION;
    throw new RunError({
      what: `the comparison was written by ${newer ? 'a newer' : 'an older'} version of babelscope`,
      where: path,
      expected: `schemaVersion ${COMPARISON_SCHEMA_VERSION}`,
      found: String(version),
      remedy: `${newer ? 'Update babelscope, or compare' : 'Compare'} again with this version.`,
    });
  }
  const parsed = comparisonSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new RunError({
    what: `field "${issue.path.join('.')}" of the comparison is unusable`,
    where: path,
    expected: issue.message,
    remedy,
  });
}

interface ChangeColumn {
  readonly name: string;
  readonly type: ColumnType;
  /** The values of units start … end − 1 of a table. */
  readonly of: (table: UnitChanges, start: number, end: number) => ArrayLike<TableValue>;
}

function changeColumns(tags: readonly string[], shape: ExpertSizes): ChangeColumn[] {
  const each = (
    name: string,
    type: ColumnType,
    of: (table: UnitChanges, unit: number) => TableValue,
  ): ChangeColumn => ({
    name,
    type,
    of: (table, start, end) => Array.from({ length: end - start }, (_, i) => of(table, start + i)),
  });
  const language = (assigned: number) => (assigned === NOT_SELECTED ? null : tags[assigned]!);
  const scores = Object.keys(UNIT_CHANGE_SCORES) as UnitChangeScore[];
  return [
    each('label', 'string', (table) => table.label),
    each('type', 'string', (table) => table.type),
    each('layer', 'int32', ({ layout }, u) => layout.layerOf(u)),
    each('index', 'int32', ({ layout }, u) => layout.indexOf(u)),
    each('expert', 'int32', ({ type, layout }, u) =>
      expertOfUnit(shape, type, layout.layerOf(u), layout.indexOf(u)),
    ),
    ...scores.flatMap((score) =>
      CHANGE_PARTS.map(
        (part): ChangeColumn => ({
          name: ['reference', 'other'].includes(part)
            ? `${score}_${part}`
            : `delta_${score}${part === 'delta' ? '' : `_${part}`}`,
          type: 'float64',
          of: ({ scores: { [score]: change } }, start, end) =>
            change?.range(start, end)[part] ?? new Array<null>(end - start).fill(null),
        }),
      ),
    ),
    each('language_reference', 'string', (table, u) => language(table.languageReference[u]!)),
    each('language_other', 'string', (table, u) => language(table.languageOther[u]!)),
  ];
}

/** Tables one after another, a row group at a time. */
function* rowsOf(
  changes: readonly UnitChanges[],
  columns: readonly ChangeColumn[],
): Generator<ArrayLike<TableValue>[]> {
  for (const table of changes) {
    const { units } = table.layout;
    for (let start = 0; start < units; start += ROW_GROUP_ROWS) {
      const end = Math.min(units, start + ROW_GROUP_ROWS);
      yield columns.map(({ of }) => of(table, start, end));
    }
  }
}
