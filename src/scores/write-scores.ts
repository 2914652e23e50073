import { join } from 'node:path';
import { formatJson } from '../store/format-json.js';
import type { RunManifest } from '../store/manifest.js';
import { writeTable } from '../store/table.js';
import { writeFileAtomic } from '../store/write-file-atomic.js';
import {
  type ColumnSpec,
  type ScoredUnits,
  tableColumn,
  UNIT_COLUMNS,
  UNIT_LANGUAGE_COLUMNS,
} from './table-columns.js';
import { SCORES_SCHEMA_VERSION, type ScoreSummary } from './types.js';

/**
 * Writes `units.parquet` (a row a unit), `unit_languages.parquet` (a row a unit and language), then `scores.json`,
 * each whole or not at all.
 *
 * @throws OutputError if one cannot be written.
 */
export async function writeScores(
  folder: string,
  manifest: RunManifest,
  tables: readonly ScoredUnits[],
  summary: ScoreSummary,
): Promise<void> {
  const tags = manifest.plan.languages;
  const metadata = (schema: string, specs: readonly ColumnSpec[]) => ({
    schema,
    schema_version: String(SCORES_SCHEMA_VERSION),
    babelscope: summary.babelscope,
    plan_sha256: manifest.planSha256,
    model: JSON.stringify(manifest.model),
    probe: JSON.stringify(manifest.probe),
    languages: JSON.stringify(summary.languages),
    positions: manifest.plan.positions,
    count_first: String(manifest.plan.countFirst),
    fires: 'blocks.{l}.mlp.hook_pre > 0',
    pooled: 'mean over counted tokens of blocks.{l}.mlp.hook_post (neuron) or of ‖z_h W_O,h‖ (head)',
    seed: String(summary.seed),
    splits: String(summary.splits),
    policies: JSON.stringify(summary.units),
    columns: JSON.stringify(Object.fromEntries(specs.map(({ name, about }) => [name, about]))),
  });
  const table = (file: string, schema: string, specs: readonly ColumnSpec[], languages: number) =>
    writeTable(
      join(folder, file),
      specs.map((spec) => tableColumn(spec, tables, tags, languages)),
      metadata(schema, specs),
    );
  await table('units.parquet', 'babelscope/units', UNIT_COLUMNS, 1);
  await table('unit_languages.parquet', 'babelscope/unit_languages', UNIT_LANGUAGE_COLUMNS, tags.length);
  await writeFileAtomic(join(folder, 'scores.json'), [new TextEncoder().encode(`${formatJson(summary)}\n`)]);
}
