import { RunError, UsageError } from '../errors.js';
import { VERSION } from '../version.js';
import type { ExportPolicy } from './export-mask.js';
import { type OpenedSelection, openSelection } from './opened-selection.js';
import { UNKNOWN_RULE } from './selection.js';
import {
  SELECTIONS_SCHEMA_VERSION,
  type SelectedSet,
  type SelectionComparison,
  type SelectionOverlap,
} from './selection-comparison.js';

interface CompareSelectionsOptions {
  /** One a folder; default the models' names. */
  readonly labels?: readonly string[] | undefined;
  /** Whose selection of scored runs. Default tang2024. */
  readonly policy?: ExportPolicy | undefined;
}

/**
 * Compares which units were selected, for every two of imported selections and scored runs, over the languages that all
 * of them have: overall and language by language. Of counts alone, counts are compared.
 *
 * @throws RunError if a folder is neither, a run is not scored, or selections are of different units or sizes of model;
 *   UsageError with fewer than two, or no language in common.
 */
export async function compareSelections(
  folders: readonly string[],
  options: CompareSelectionsOptions = {},
): Promise<SelectionComparison> {
  if (folders.length < 2) {
    throw new UsageError({
      what: 'a selection is compared with another',
      expected: 'two folders or more',
      found: folders.join(', '),
      remedy: 'name a second selection or a scored run',
    });
  }
  return selectionsOf(folders, options);
}

/** Describes one imported selection, in the shape of a comparison that has nothing to set it against. @throws RunError */
export function describeSelection(folder: string): Promise<SelectionComparison> {
  return selectionsOf([folder], {});
}

async function selectionsOf(
  folders: readonly string[],
  { labels, policy = 'tang2024' }: CompareSelectionsOptions,
): Promise<SelectionComparison> {
  const sets: OpenedSelection[] = [];
  for (const [i, folder] of folders.entries()) {
    const opened = await openSelection(folder, policy);
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
  const total = sets.find((set) => set.total !== null)?.total ?? null;
  return {
    schema: 'babelscope/selections',
    schemaVersion: SELECTIONS_SCHEMA_VERSION,
    babelscope: VERSION,
    unit: sets[0]!.unit,
    languages,
    sets: sets.map((set) => describe(set, languages)),
    overlaps: sets.flatMap((a, i) => sets.slice(i + 1).flatMap((b) => overlaps(a, b, languages, total))),
    warnings: [
      ...languageWarnings(sets, languages),
      ...ruleWarnings(sets),
      ...sizeWarnings(sets),
      ...countWarnings(sets),
      'sets without data: intervals and noise floors are not measured.',
    ],
  };
}

/**
 * Units are matched by type and index: two selections must fit one model, as far as anything is known of its size.
 *
 * @throws RunError
 */
function assertSameUnits(sets: readonly OpenedSelection[]): void {
  for (const [i, a] of sets.entries()) {
    for (const b of sets.slice(i + 1)) {
      if (a.unit !== b.unit) {
        throw new RunError({
          what: 'the selections are of different units',
          where: `${a.label}, ${b.label}`,
          expected: `${a.unit}s, as in ${a.label}`,
          found: `${b.unit}s`,
          remedy: 'compare neurons with neurons, and heads with heads; scored runs select neurons',
        });
      }
      if (fits(a, b) && fits(b, a)) continue;
      throw new RunError({
        what: 'the selections are of models of different sizes',
        where: `${a.label}, ${b.label}`,
        expected: `${sizeOf(a)}, as in ${a.label}`,
        found: sizeOf(b),
        remedy: `${a.unit}s are matched by index: compare selections in one architecture`,
      });
    }
  }
}

/** Whether all that is known of `b` has room in `a`. */
function fits(a: OpenedSelection, b: OpenedSelection): boolean {
  if (a.layersKnown && (b.layersKnown ? b.layers !== a.layers : b.layers > a.layers)) return false;
  if (a.widths === null) return true;
  if (b.widths !== null) return b.widths.every((width, layer) => (a.widths![layer] ?? width) === width);
  return [...(b.members?.keys() ?? [])].every((key) => {
    const [layer = 0, index = 0] = key.split(' ').map(Number);
    return index < (a.widths![layer] ?? Number.POSITIVE_INFINITY);
  });
}

/** `32 layers of 37 neurons`, `at least 32 layers, neurons up to 36`. */
function sizeOf({ layers, layersKnown, widths, members, unit }: OpenedSelection): string {
  let highest = -1;
  for (const key of members?.keys() ?? []) highest = Math.max(highest, Number(key.split(' ')[1]));
  const units =
    widths !== null
      ? ` of ${[...new Set(widths)].join(', ')} ${unit}s`
      : members === null
        ? ''
        : `, ${unit}s up to ${highest}`;
  return `${layersKnown ? '' : 'at least '}${layers} layers${units}`;
}

function languageWarnings(sets: readonly OpenedSelection[], languages: readonly string[]): string[] {
  return sets.flatMap(({ label, languages: own }) =>
    own.length === languages.length
      ? []
      : [
          `${label}: selected among ${own.length} languages (${own.join(' ')}), of which ${languages.length} are compared; the entropy of a neuron depends on all of them.`,
        ],
  );
}

/** Where sets were selected by different rules, or by rules that nobody named, their agreement is partly that of the rules. */
function ruleWarnings(sets: readonly OpenedSelection[]): string[] {
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
function sizeWarnings(sets: readonly OpenedSelection[]): string[] {
  const open = sets.filter(({ layersKnown }) => !layersKnown);
  if (new Set(open.map(({ layers }) => layers)).size < 2) return [];
  return [
    `files that do not say how many layers their models have name different ones as the last (${open
      .map(({ label, layers }) => `${label}: ${layers}`)
      .join('; ')}): make sure that they are of one architecture.`,
  ];
}

/** Counts do not tell which units they are of. */
function countWarnings(sets: readonly OpenedSelection[]): string[] {
  const alone = sets.filter(({ members }) => members === null).map(({ label }) => label);
  if (alone.length === 0) return [];
  return [
    `counts alone (${alone.join(', ')}): which units they are is not known, so neither is what selections share (Jaccard), nor how many units there are of any language, of one or of several.`,
  ];
}

function describe(set: OpenedSelection, languages: readonly string[]): SelectedSet {
  const { label, source, rule, layers, layersKnown, total, members } = set;
  const places = languages.map((tag) => set.languages.indexOf(tag));
  const byLayer = set.byLayer.map((row) => places.map((k) => row[k]!));
  const times = [...(members?.values() ?? [])].map(
    (tags) => tags.filter((tag) => languages.includes(tag)).length,
  );
  return {
    label,
    source,
    rule,
    units: total,
    layers: layersKnown ? layers : null,
    selected: members === null ? null : times.filter((n) => n > 0).length,
    perLanguage: languages.map((_, k) => byLayer.reduce((sum, row) => sum + row[k]!, 0)),
    byLanguageCount:
      members === null ? null : languages.map((_, k) => times.filter((n) => n === k + 1).length),
    byLayer,
  };
}

function overlaps(
  a: OpenedSelection,
  b: OpenedSelection,
  languages: readonly string[],
  total: number | null,
): SelectionOverlap[] {
  return [null, ...languages].map((language) => {
    const wanted = language === null ? languages : [language];
    const [inA, inB] = [numberOf(a, language, wanted), numberOf(b, language, wanted)];
    const names = { a: a.label, b: b.label, language, inA, inB };
    if (a.members === null || b.members === null || inA === null || inB === null) {
      return { ...names, both: null, jaccard: null, chance: null };
    }
    const [ofA, ofB] = [chosen(a.members, wanted), chosen(b.members, wanted)];
    const both = [...ofA].filter((key) => ofB.has(key)).length;
    const union = inA + inB - both;
    const expected = total === null ? Number.NaN : (inA * inB) / total;
    const chance = expected / (inA + inB - expected);
    return {
      ...names,
      both,
      jaccard: union === 0 ? null : both / union,
      chance: Number.isFinite(chance) ? chance : null,
    };
  });
}

/** Units of any of the languages; of counts alone those of one language. */
function numberOf(set: OpenedSelection, language: string | null, wanted: readonly string[]): number | null {
  if (set.members !== null) return chosen(set.members, wanted).size;
  if (language === null) return null;
  const k = set.languages.indexOf(language);
  return set.byLayer.reduce((sum, row) => sum + row[k]!, 0);
}

function chosen(members: ReadonlyMap<string, readonly string[]>, wanted: readonly string[]): Set<string> {
  return new Set(
    [...members].flatMap(([key, tags]) => (tags.some((tag) => wanted.includes(tag)) ? [key] : [])),
  );
}
