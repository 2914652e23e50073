import { join } from 'node:path';
import { z } from 'zod';
import { modelLabel } from '../checkpoint/index.js';
import { RunError, UsageError } from '../errors.js';
import { readScores } from '../scores/index.js';
import { makeFolder, quoted, readManifest, unitLayout, writeRecord } from '../store/index.js';
import { VERSION } from '../version.js';
import type { ExportPolicy } from './export-mask.js';
import { UNKNOWN_RULE } from './import-selection.js';
import { isSelection, readChecked, readSelection } from './selection.js';

/** The layout of `selections.json`. 3: it has its own checksum. */
export const SELECTIONS_SCHEMA_VERSION = 3;

const share = z.number().nullable();

const selectedSet = z.object({
  label: z.string(),
  /** `imported lape-mask`, or the policy of a scored run. */
  source: z.string(),
  /** The rule that selected its neurons. */
  rule: z.string(),
  /** Layers × neurons; null of an import that was not told its model's. */
  units: z.number().nullable(),
  /** Neurons selected for any of the languages. */
  selected: z.number(),
  /** [language] */
  perLanguage: z.array(z.number()),
  /** Neurons that are selected for exactly 1, 2, … of the languages. */
  byLanguageCount: z.array(z.number()),
  /** [layer][language] */
  byLayer: z.array(z.array(z.number())),
});

const overlap = z.object({
  a: z.string(),
  b: z.string(),
  /** null: selected for any of the languages. */
  language: z.string().nullable(),
  inA: z.number(),
  inB: z.number(),
  both: z.number(),
  /** |A ∩ B| / |A ∪ B|; null where both are empty. */
  jaccard: share,
  /**
   * The mean Jaccard of sets of these sizes drawn at random: e / (|A| + |B| − e) with e = |A| |B| / units, the mean intersection. null where
   * neither side knows how many units there are.
   */
  chance: share,
});

const comparisonSchema = z.object({
  schema: z.literal('babelscope/selections'),
  schemaVersion: z.number().int().max(SELECTIONS_SCHEMA_VERSION),
  babelscope: z.string(),
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

interface OpenedSet {
  readonly label: string;
  readonly source: string;
  readonly rule: string;
  readonly languages: readonly string[];
  readonly layers: number;
  /** Whether `layers` is all of them, or those that the file names at least. */
  readonly layersKnown: boolean;
  /** Neurons of each layer; null where they are not known. */
  readonly widths: readonly number[] | null;
  /** Layers × neurons; null where either is not known. */
  readonly total: number | null;
  /** By `layer index`. */
  readonly units: ReadonlyMap<string, readonly string[]>;
}

/**
 * Compares which neurons were selected, for every two of imported selections and scored runs, over the languages that all
 * of them have: overall and language by language.
 *
 * @param labels one a folder; default the models' names.
 * @throws RunError if a folder is neither, a run is not scored, or a selection has neurons that a run does not;
 *   UsageError with fewer than two, or no language in common.
 */
export async function compareSelections(
  folders: readonly string[],
  {
    labels,
    policy = 'tang2024',
  }: { readonly labels?: readonly string[] | undefined; readonly policy?: ExportPolicy | undefined } = {},
): Promise<SelectionComparison> {
  if (folders.length < 2) {
    throw new UsageError({
      what: 'a selection is compared with another',
      expected: 'two folders or more',
      found: folders.join(', '),
      remedy: 'name a second selection or a scored run',
    });
  }
  return selectionsOf(folders, { labels, policy });
}

/** Describes one imported selection, in the shape of a comparison that has nothing to set it against. @throws RunError */
export function describeSelection(folder: string): Promise<SelectionComparison> {
  return selectionsOf([folder], {});
}

async function selectionsOf(
  folders: readonly string[],
  {
    labels,
    policy = 'tang2024',
  }: { readonly labels?: readonly string[] | undefined; readonly policy?: ExportPolicy | undefined },
): Promise<SelectionComparison> {
  const sets: OpenedSet[] = [];
  for (const [i, folder] of folders.entries()) {
    const opened = isSelection(folder) ? await openImported(folder) : await openScored(folder, policy);
    const wanted = labels?.[i] ?? opened.label;
    let label = wanted;
    for (let n = 2; sets.some((other) => other.label === label); n++) label = `${wanted} (${n})`;
    sets.push({ ...opened, label });
  }
  assertSameUnits(sets);
  const languages = sets[0]!.languages.filter((tag) => sets.every((set) => set.languages.includes(tag)));
  if (languages.length === 0) {
    throw new UsageError({
      what: 'the selections have no language in common',
      found: sets.map(({ label, languages: own }) => `${label}: ${own.join(' ')}`).join('; '),
      remedy: 'compare selections of the same languages, under the same tags',
    });
  }
  const warnings = sets.flatMap(({ label, languages: own }) =>
    own.length === languages.length
      ? []
      : [
          `${label}: selected among ${own.length} languages (${own.join(' ')}), of which ${languages.length} are compared; the entropy of a neuron depends on all of them.`,
        ],
  );
  const total = sets.find((set) => set.total !== null)?.total ?? null;
  return {
    schema: 'babelscope/selections',
    schemaVersion: SELECTIONS_SCHEMA_VERSION,
    babelscope: VERSION,
    languages,
    sets: sets.map((set) => describe(set, languages)),
    overlaps: sets.flatMap((a, i) => sets.slice(i + 1).flatMap((b) => overlaps(a, b, languages, total))),
    warnings: [
      ...warnings,
      ...ruleWarnings(sets),
      ...sizeWarnings(sets),
      'sets without data: intervals and noise floors are not measured.',
    ],
  };
}

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

async function openImported(folder: string): Promise<OpenedSet> {
  const { model, format, languages, layers, layersKnown, neurons, rule } = await readSelection(folder);
  return {
    label: model,
    source: `imported ${format}`,
    rule,
    languages,
    layers,
    layersKnown,
    widths: neurons === null ? null : Array.from({ length: layers }, () => neurons),
    total: neurons === null || !layersKnown ? null : layers * neurons,
    units: await selectedUnits(folder, 'selected_imported'),
  };
}

async function openScored(folder: string, policy: ExportPolicy): Promise<OpenedSet> {
  const { model, plan, shape } = await readManifest(folder);
  const { widths, units } = unitLayout(shape, 'neuron');
  return {
    label: modelLabel(model),
    source: policy,
    rule: policy,
    languages: plan.languages,
    layers: shape.layers,
    layersKnown: true,
    widths,
    total: units,
    units: await selectedUnits(folder, `selected_${policy}`),
  };
}

async function selectedUnits(folder: string, column: string): Promise<Map<string, readonly string[]>> {
  const { columns, rows } = await readScores(folder, 'units', ['type', 'layer', 'index', column]);
  const [types, layer, index, selected] = ['type', 'layer', 'index', column].map((name) => columns.get(name));
  if (selected === undefined) {
    throw new RunError({
      what: `the table has no column ${column}`,
      where: join(folder, 'units.parquet'),
      remedy: 'score the run again with lape among the scores',
    });
  }
  const units = new Map<string, readonly string[]>();
  for (let row = 0; row < rows; row++) {
    const tags = selected[row];
    if (types![row] === 'neuron' && typeof tags === 'string' && tags !== '') {
      units.set(`${layer![row]} ${index![row]}`, tags.split(','));
    }
  }
  return units;
}

/**
 * Neurons are matched by index: two selections must fit one model, as far as anything is known of its size.
 *
 * @throws RunError
 */
function assertSameUnits(sets: readonly OpenedSet[]): void {
  for (const [i, a] of sets.entries()) {
    for (const b of sets.slice(i + 1)) {
      if (fits(a, b) && fits(b, a)) continue;
      throw new RunError({
        what: 'the selections are of models of different sizes',
        where: `${a.label}, ${b.label}`,
        expected: `${sizeOf(a)}, as in ${a.label}`,
        found: sizeOf(b),
        remedy: 'neurons are matched by index: compare selections in one architecture',
      });
    }
  }
}

/** Whether all that is known of `b` has room in `a`. */
function fits(a: OpenedSet, b: OpenedSet): boolean {
  if (a.layersKnown && (b.layersKnown ? b.layers !== a.layers : b.layers > a.layers)) return false;
  if (a.widths === null) return true;
  if (b.widths !== null) return b.widths.every((width, layer) => (a.widths![layer] ?? width) === width);
  return [...b.units.keys()].every((key) => {
    const [layer = 0, index = 0] = key.split(' ').map(Number);
    return index < (a.widths![layer] ?? Number.POSITIVE_INFINITY);
  });
}

/** `32 layers of 37 neurons`, `at least 32 layers, neurons up to 36`. */
function sizeOf({ layers, layersKnown, widths, units }: OpenedSet): string {
  let highest = -1;
  for (const key of units.keys()) highest = Math.max(highest, Number(key.split(' ')[1]));
  const neurons =
    widths === null ? `, neurons up to ${highest}` : ` of ${[...new Set(widths)].join(', ')} neurons`;
  return `${layersKnown ? '' : 'at least '}${layers} layers${neurons}`;
}

/** Where sets were selected by different rules, or by rules that nobody named, their agreement is partly that of the rules. */
function ruleWarnings(sets: readonly OpenedSet[]): string[] {
  const rules = new Set(sets.map(({ rule }) => rule));
  if (sets.length < 2 || (rules.size === 1 && !rules.has(UNKNOWN_RULE))) return [];
  const named = sets.map(({ label, rule }) => `${label} by ${rule}`).join('; ');
  return [
    rules.size === 1
      ? `selected by rules that no file names (${named}): where those differ, selections differ although models do not. Import each with --rule.`
      : `selected by different or unknown rules (${named}): a low Jaccard may tell of the rules rather than of the models. Choose that of scored runs with --policy, name that of a file with import --rule.`,
  ];
}

/** Files that do not say how many layers there are: the highest that they name differ. */
function sizeWarnings(sets: readonly OpenedSet[]): string[] {
  const open = sets.filter(({ layersKnown }) => !layersKnown);
  if (new Set(open.map(({ layers }) => layers)).size < 2) return [];
  return [
    `files that do not say how many layers their models have name different ones as the last (${open
      .map(({ label, layers }) => `${label}: ${layers}`)
      .join('; ')}): make sure that they are of one architecture.`,
  ];
}

function describe(
  { label, source, rule, layers, total, units }: OpenedSet,
  languages: readonly string[],
): SelectedSet {
  const byLayer = Array.from({ length: layers }, () => languages.map(() => 0));
  const perLanguage = languages.map(() => 0);
  const byLanguageCount = languages.map(() => 0);
  let selected = 0;
  for (const [key, tags] of units) {
    const own = languages.flatMap((tag, k) => (tags.includes(tag) ? [k] : []));
    if (own.length === 0) continue;
    selected++;
    byLanguageCount[own.length - 1]! += 1;
    for (const k of own) {
      perLanguage[k]! += 1;
      byLayer[Number(key.split(' ')[0])]![k]! += 1;
    }
  }
  return { label, source, rule, units: total, selected, perLanguage, byLanguageCount, byLayer };
}

function overlaps(
  a: OpenedSet,
  b: OpenedSet,
  languages: readonly string[],
  total: number | null,
): SelectionOverlap[] {
  return [null, ...languages].map((language) => {
    const wanted = language === null ? languages : [language];
    const chosen = ({ units }: OpenedSet) =>
      new Set([...units].flatMap(([key, tags]) => (tags.some((tag) => wanted.includes(tag)) ? [key] : [])));
    const [inA, inB] = [chosen(a), chosen(b)];
    const both = [...inA].filter((key) => inB.has(key)).length;
    const union = inA.size + inB.size - both;
    const expected = total === null ? Number.NaN : (inA.size * inB.size) / total;
    const chance = expected / (inA.size + inB.size - expected);
    return {
      a: a.label,
      b: b.label,
      language,
      inA: inA.size,
      inB: inB.size,
      both,
      jaccard: union === 0 ? null : both / union,
      chance: Number.isFinite(chance) ? chance : null,
    };
  });
}
