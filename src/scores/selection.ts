import { Argsort } from '../stats/index.js';

/** Units that a policy calls language-specific, and the languages each belongs to. */
export interface Selection {
  readonly languages: number;
  readonly units: number;
  /** [unit]: 1 if selected. */
  readonly selected: Uint8Array;
  /** [language, unit]: 1 if the unit is selected and belongs to the language. */
  readonly member: Uint8Array;
}

/** The numbers `reference` holds fixed. */
export interface ReferenceCut {
  /** Nats: the highest LAPE still selected; NaN if the reference run selects no unit. */
  readonly entropyCut: number;
  /** A rate must exceed it, in the unit of the rates. */
  readonly bar: number;
  /** Share of all units the reference run selects. */
  readonly fraction: number;
}

/** Fraction of all units that are called language-specific (Tang et al., ACL 2024). */
export const SELECTED_FRACTION = 0.01;
/** Percentile of all rates that a rate must exceed to count (Tang et al., ACL 2024). */
export const BAR_PERCENTILE = 0.95;

export function emptySelection(languages: number, units: number): Selection {
  return {
    languages,
    units,
    selected: new Uint8Array(units),
    member: new Uint8Array(languages * units),
  };
}

export function countSelected({ selected }: Selection): number {
  let count = 0;
  for (let u = 0; u < selected.length; u++) count += selected[u]!;
  return count;
}

/** Indices of the languages a unit belongs to, ascending; empty if it is not selected. */
export function languagesOf({ languages, units, member }: Selection, unit: number): number[] {
  const own: number[] = [];
  for (let k = 0; k < languages; k++) if (member[k * units + unit] === 1) own.push(k);
  return own;
}

/** Rates [language, n] of some adjacent units: start, start + 1, … */
export interface RateBlock {
  readonly start: number;
  readonly rates: Float64Array;
}

/** Marks a unit of a block, if a rate of it exceeds the bar, and every language whose rate does. */
export function selectAboveBar(
  selection: Selection,
  { start, rates }: RateBlock,
  bar: number,
  unit: number,
): void {
  const n = rates.length / selection.languages;
  for (let k = 0; k < selection.languages; k++) {
    if (!(rates[k * n + unit - start]! > bar)) continue;
    selection.selected[unit] = 1;
    selection.member[k * selection.units + unit] = 1;
  }
}

/**
 * The `count` units of lowest LAPE among those that are eligible and whose LAPE is not NaN, lowest first; units of equal
 * LAPE in order of index (layer, then unit).
 */
export function lowestEntropy(
  entropies: Float64Array,
  count: number,
  eligible: (unit: number) => boolean = () => true,
): Uint32Array {
  const candidates = new Uint32Array(entropies.length);
  let found = 0;
  for (let u = 0; u < entropies.length; u++) {
    if (!Number.isNaN(entropies[u]!) && eligible(u)) candidates[found++] = u;
  }
  const own = Float64Array.from({ length: found }, (_, i) => entropies[candidates[i]!]!);
  return new Argsort(found)
    .order(own)
    .slice(0, count)
    .map((i) => candidates[i]!);
}
