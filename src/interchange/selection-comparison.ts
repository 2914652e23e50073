import { join } from 'node:path';
import { z } from 'zod';
import { makeFolder, quoted, writeRecord } from '../store/index.js';
import { readChecked } from './selection.js';

/** The layout of `selections.json`. 3: it has its own checksum; heads, counts alone. */
export const SELECTIONS_SCHEMA_VERSION = 3;

const share = z.number().nullable();
/** null: of counts alone it is not known. */
const known = z.number().nullable();

const selectedSet = z.object({
  label: z.string(),
  /** `imported lape-mask`, or the policy of a scored run. */
  source: z.string(),
  /** The rule that selected its units. */
  rule: z.string(),
  /** Units of all layers; null of an import that was not told its model's. */
  units: z.number().nullable(),
  /** null where the file names some layers only. */
  layers: z.number().nullable().default(null),
  /** Units selected for any of the languages. */
  selected: known,
  /** [language] */
  perLanguage: z.array(z.number()),
  /** Units that are selected for exactly 1, 2, … of the languages. */
  byLanguageCount: z.array(z.number()).nullable(),
  /** [layer][language] */
  byLayer: z.array(z.array(z.number())),
});

const overlap = z.object({
  a: z.string(),
  b: z.string(),
  /** null: selected for any of the languages. */
  language: z.string().nullable(),
  inA: known,
  inB: known,
  both: known,
  /** |A ∩ B| / |A ∪ B|; null where both are empty, or where it is not known. */
  jaccard: share,
  /**
   * The mean Jaccard of sets of these sizes drawn at random: e / (|A| + |B| − e) with e = |A| |B| / units, the mean intersection. null where
   * neither side knows how many units there are.
   */
  chance: share,
});

const comparisonSchema = z.object({
  schema: z.literal('babelscope/selections'),
  schemaVersion: z.literal(SELECTIONS_SCHEMA_VERSION),
  babelscope: z.string(),
  /** What is selected. */
  unit: z.enum(['neuron', 'head']).default('neuron'),
  /** Those that all selections have. */
  languages: z.array(z.string()),
  sets: z.array(selectedSet),
  overlaps: z.array(overlap),
  warnings: z.array(z.string()),
});

/** The counts of one selection, of the languages that all of them have. */
export type SelectedSet = z.infer<typeof selectedSet>;
/** How far two selections agree. */
export type SelectionOverlap = z.infer<typeof overlap>;
/** `selections.json`. Sets alone have no data to resample: there is no interval and no noise floor. */
export type SelectionComparison = z.infer<typeof comparisonSchema>;

/** Writes `selections.json`. @throws OutputError */
export async function writeSelectionComparison(out: string, comparison: SelectionComparison): Promise<void> {
  await makeFolder(out);
  const named = comparison.sets.map(({ label }) => `<selection or run ${label}>`).join(' ');
  const labels = quoted(comparison.sets.map(({ label }) => label).join(','));
  await writeRecord(join(out, 'selections.json'), comparison, {
    files: {},
    command: `babelscope compare ${named} --labels ${labels} --out <folder>`,
  });
}

/** @throws RunError if `selections.json` is missing, malformed or of a newer schema than this version knows. */
export async function readSelectionComparison(folder: string): Promise<SelectionComparison> {
  return readChecked(folder, 'selections.json', comparisonSchema, SELECTIONS_SCHEMA_VERSION);
}
