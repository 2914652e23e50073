import { Argsort } from '../../stats/index.js';

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
  /** Nothing is selected, since so many units could only be had with some that fire alike in all languages. */
  readonly reachesEven?: boolean;
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

/**
 * Policy `reference`: every unit with LAPE ≤ cut.entropyCut and some rate above cut.bar is selected, and belongs to
 * every language whose rate exceeds the bar. The cut comes from `referenceCut` on the reference run and is held
 * fixed, so the number selected may fall or rise.
 *
 * On the reference run itself this gives the units of `tang2024`, and besides them any that share the LAPE of the
 * last one.
 *
 * @param rates [language, unit], all layers together.
 * @param entropies [unit]: LAPE; NaN is never selected.
 */
export function selectReference(
  rates: Float64Array,
  entropies: Float64Array,
  languages: number,
  { entropyCut, bar }: ReferenceCut,
): Selection {
  const selection = emptySelection(languages, entropies.length);
  for (let unit = 0; unit < entropies.length; unit++) {
    if (entropies[unit]! <= entropyCut) selectAboveBar(selection, { start: 0, rates }, bar, unit);
  }
  return selection;
}
