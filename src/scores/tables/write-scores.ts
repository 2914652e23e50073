import { join } from 'node:path';
import {
  type FileChecksum,
  ROW_GROUP_ROWS,
  type RunManifest,
  removeStale,
  streamTable,
  type TableValue,
  writeRecord,
} from '../../store/index.js';
import type { ScoreDefinition } from '../definition.js';
import type { UnitScores } from '../engine/unit-scores.js';
import { ALIGNMENT_COLUMNS, type AlignmentRow } from './alignment-columns.js';
import { SCORES_FILE, SCORES_SCHEMA_VERSION, type ScoreSummary } from './summary.js';
import { type ColumnSpec, type ScoredUnits, unitColumns, unitLanguageColumns } from './table-columns.js';

/** Schemas of the tables of scores, by file name less `.parquet`. */
export const SCORE_TABLES = {
  units: 'babelscope/units',
  unit_languages: 'babelscope/unit_languages',
  alignment: 'babelscope/alignment',
} as const;
export type ScoreTableName = keyof typeof SCORE_TABLES;

/** All units of a type, whose blocks are `ScoredUnits`. */
export type AllScored = Omit<ScoredUnits, 'scores'> & { readonly scores: UnitScores };

/**
 * Writes `units.parquet` (a row a unit), `unit_languages.parquet` (a row a unit and language), `alignment.parquet`
 * (a row a layer and two languages; null: not computed, and one of an earlier scoring is removed), then `scores.json`, which
 * lists them, each whole or not at all. Rows are made a row group at a time.
 *
 * @throws OutputError if one cannot be written.
 */
export async function writeScores(
  folder: string,
  manifest: RunManifest,
  definitions: readonly ScoreDefinition[],
  tables: readonly AllScored[],
  alignment: readonly AlignmentRow[] | null,
  summary: ScoreSummary,
): Promise<void> {
  const tags = manifest.plan.languages;
  const { pooling, positions, countFirst } = manifest.plan;
  const metadata = (schema: string, specs: readonly Pick<ColumnSpec, 'name' | 'about'>[]) => ({
    schema,
    schema_version: String(SCORES_SCHEMA_VERSION),
    babelscope: summary.babelscope,
    plan_sha256: manifest.planSha256,
    model: JSON.stringify(manifest.model),
    probe: JSON.stringify(manifest.probe),
    languages: JSON.stringify(summary.languages),
    positions,
    count_first: String(countFirst),
    fires: 'blocks.{l}.mlp.hook_pre > 0',
    pooled: `${pooling} over counted tokens of blocks.{l}.mlp.hook_post (neuron), ‖z_h W_O,h‖ (head), blocks.{l}.mlp.hook_router (expert) or blocks.{l}.hook_resid_post (residual)`,
    language_entropy: String(summary.languageEntropy),
    seed: String(summary.seed),
    splits: String(summary.splits),
    resampling: JSON.stringify(summary.resampling),
    policies: JSON.stringify(summary.units),
    columns: JSON.stringify(Object.fromEntries(specs.map(({ name, about }) => [name, about]))),
  });
  const files: Record<string, FileChecksum> = {};
  for (const file of ['units', 'unit_languages'] as const) {
    const columns = (file === 'units' ? unitColumns : unitLanguageColumns)(definitions);
    const languages = file === 'units' ? 1 : tags.length;
    files[`${file}.parquet`] = await streamTable(
      join(folder, `${file}.parquet`),
      columns,
      rowsOf(columns, tables, tags, languages),
      metadata(SCORE_TABLES[file], columns),
    );
  }
  const path = join(folder, 'alignment.parquet');
  if (alignment === null) await removeStale(path);
  else {
    const columns = ALIGNMENT_COLUMNS;
    const values = columns.map(({ of }) => alignment.map(of));
    const schema = metadata(SCORE_TABLES.alignment, columns);
    files['alignment.parquet'] = await streamTable(path, columns, [values], schema);
  }
  await writeRecord(join(folder, SCORES_FILE), summary, { files, command: scoreCommand(summary) });
}

/** The command that gives these scores of a run, with `<folder>` for the run. */
export function scoreCommand({ asked, resampling, seed }: ScoreSummary): string {
  return [
    'babelscope score <folder>',
    ...(asked === null ? [] : [`--scores ${asked.join(',')}`]),
    ...(resampling === null
      ? []
      : [`--uncertainty full --draws ${resampling.draws} --permutations ${resampling.permutations}`]),
    ...(seed === 0 ? [] : [`--seed ${seed}`]),
  ].join(' ');
}

/** Columns of a row group at a time: unit by unit, and within a unit language by language. */
function* rowsOf(
  columns: readonly ColumnSpec[],
  tables: readonly AllScored[],
  tags: readonly string[],
  languages: number,
): Generator<ArrayLike<TableValue>[]> {
  const unitsAtOnce = Math.max(1, Math.floor(ROW_GROUP_ROWS / languages));
  for (const { scores, ...rest } of tables) {
    for (const block of scores.blocks(unitsAtOnce)) {
      const cellOf = columns.map(({ of }) => of({ ...rest, scores: block }, tags));
      const rows = block.units * languages;
      yield columns.map(({ type }, c) => {
        const value = cellOf[c]!;
        if (value === null) return new Array<null>(rows).fill(null);
        const values = type === 'float64' ? new Float64Array(rows) : new Array<TableValue>(rows);
        for (let row = 0; row < rows; row++) {
          values[row] = value(Math.floor(row / languages), row % languages) as number;
        }
        return values;
      });
    }
  }
}
