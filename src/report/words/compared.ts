import type {
  Comparison,
  Contrast,
  Headline,
  Measure,
  Trend,
  UnitComparison,
  Verdict,
} from '../../compare/index.js';
import type { UnitType } from '../../store/index.js';
import { UNIT_WORDS } from './measured-on.js';

// Figures and page find the rows of a comparison here alone.

/** Neurons where they were compared, else whatever was. */
export function mainUnits(comparison: Comparison): UnitComparison | undefined {
  return comparison.units.find(({ type }) => type === 'neuron') ?? comparison.units[0];
}

/** How the main units are called. */
export function mainWords(comparison: Comparison) {
  return UNIT_WORDS[mainUnits(comparison)?.type ?? 'neuron'];
}

/** Headlines of all languages against the reference. */
export function againstReference({ headlines, profiles }: UnitComparison): Headline[] {
  return headlines.filter(({ group, from }) => group === null && from === profiles[0]?.label);
}

/** Changes of a unit type, every pair of runs, all languages and groups; `where` keeps those that agree with it. */
export function changesOf(
  { units }: Comparison,
  type: UnitType | undefined,
  where: Partial<Pick<Headline, 'measure' | 'group' | 'from' | 'to'>> = {},
): Headline[] {
  const wanted = Object.entries(where);
  return units
    .filter((unit) => unit.type === type)
    .flatMap(({ headlines }) => headlines)
    .filter((row) => wanted.every(([key, value]) => row[key as keyof Headline] === value));
}

/** The change of a run against the reference, over all languages. */
export function changeOf(
  comparison: Comparison,
  type: UnitType | undefined,
  measure: Measure,
  to: string,
): Headline | undefined {
  return changesOf(comparison, type, { measure, to, group: null, from: referenceOf(comparison) })[0];
}

/** The verdict of that change. */
export function verdictOf(
  comparison: Comparison,
  type: UnitType | undefined,
  measure: Measure,
  to: string,
): Verdict {
  return changeOf(comparison, type, measure, to)?.verdict ?? 'not measured';
}

/** [language]: the verdict of its selected units in a run against the reference. */
export function languageVerdicts(comparison: Comparison, type: UnitType, to: string): Verdict[] {
  const pairs = comparison.units.find((unit) => unit.type === type)?.pairs ?? [];
  const pair = pairs.find((one) => one.from === referenceOf(comparison) && one.to === to);
  return comparison.languages.map((_, k) => pair?.selectedByLanguage[k]?.verdict ?? 'not measured');
}

export function contrastsOf({ units }: Comparison, type: UnitType | undefined): readonly Contrast[] {
  return units.find((unit) => unit.type === type)?.contrasts ?? [];
}

export function trendsOf({ units }: Comparison, type: UnitType | undefined): readonly Trend[] {
  return units.find((unit) => unit.type === type)?.trends ?? [];
}

/** Label of the first run, or nothing. */
export function referenceOf({ runs }: Comparison): string {
  return runs[0]?.label ?? '';
}
