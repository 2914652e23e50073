import {
  type Change,
  type Comparison,
  type Contrast,
  type Finding,
  findingInWords,
  headlineChanges,
  type Measure,
  mainUnits,
  type QuantityKey,
  type RowFilter,
  rowsOf,
  type Trend,
  type UnitDescription,
} from '../../compare/index.js';
import type { UnitType } from '../../store/index.js';
import { UNIT_WORDS } from './measured-on.js';

// Figures and page find the rows of a comparison here alone.

export { mainUnits };

/** A unit type, null for the residual stream; undefined where a comparison has no units at all. */
type Type = QuantityKey['type'] | undefined;

/** The words for the main units. */
export function mainWords(comparison: Comparison) {
  return UNIT_WORDS[mainUnits(comparison)?.type ?? 'neuron'];
}

/** The main units, if the reference has a cut that selects some; a sentence instead says why there is nothing to count. */
export function selectableUnits(comparison: Comparison): UnitDescription | string {
  const units = mainUnits(comparison);
  if (units === undefined) return 'not measured: no units were scored';
  if (units.policy.entropyCut !== null) return units;
  return `not measured: the reference, ${referenceOf(comparison)}, selects no ${UNIT_WORDS[units.type].many}`;
}

/** Headline changes, of every pair of runs, all languages and groups; `where` keeps those that agree with it. */
export function changesOf(comparison: Comparison, type: Type, where: RowFilter<Change> = {}): Change[] {
  return type === undefined ? [] : rowsOf(headlineChanges(comparison, type), where);
}

/** The change of a run against the reference, over all languages. */
export function changeOf(
  comparison: Comparison,
  type: Type,
  measure: Measure,
  to: string,
): Change | undefined {
  return changesOf(comparison, type, { measure, to, group: null, from: referenceOf(comparison) })[0];
}

/** The finding on that change, in words. */
export function findingOf(comparison: Comparison, type: Type, measure: Measure, to: string): string {
  const change = changeOf(comparison, type, measure, to);
  return change === undefined ? 'not measured' : findingInWords(change.test);
}

/** [language]: the finding on its selected units in a run against the reference. */
export function languageFindings(comparison: Comparison, type: UnitType, to: string): Finding[] {
  const selected = rowsOf(comparison.changes, {
    type,
    measure: 'selected',
    from: referenceOf(comparison),
    to,
  });
  return comparison.languages.map(
    ({ tag }) => selected.find(({ language }) => language === tag)?.test.finding ?? 'not measured',
  );
}

export function contrastsOf({ contrasts }: Comparison, type: Type): Contrast[] {
  return type === undefined ? [] : rowsOf(contrasts, { type, layer: null });
}

/** Trends of quantities over all layers. */
export function trendsOf({ trends }: Comparison, type: Type): Trend[] {
  return type === undefined ? [] : rowsOf(trends, { type, layer: null });
}

/** Label of the first run, or nothing. */
export function referenceOf({ runs }: Comparison): string {
  return runs[0]?.label ?? '';
}

/** [measure][row], measures in the order in which they first stand. */
export function byMeasure<Row extends { readonly measure: Measure }>(rows: readonly Row[]): Row[][] {
  const measures = [...new Set(rows.map(({ measure }) => measure))];
  return measures.map((measure) => rows.filter((row) => row.measure === measure));
}

export function labelsOf(runs: readonly { readonly label: string }[]): string[] {
  return runs.map(({ label }) => label);
}
