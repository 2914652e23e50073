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

/** [unit]: 1 if a rate of the unit exceeds the bar. */
export function exceedsBar(rates: Float64Array, languages: number, bar: number): Uint8Array {
  const units = rates.length / languages;
  const eligible = new Uint8Array(units);
  for (let k = 0; k < languages; k++) {
    for (let u = 0; u < units; u++) if (rates[k * units + u]! > bar) eligible[u] = 1;
  }
  return eligible;
}

/** Marks a unit and every language whose rate exceeds the bar. */
export function selectAboveBar(selection: Selection, rates: Float64Array, bar: number, unit: number): void {
  selection.selected[unit] = 1;
  for (let k = 0; k < selection.languages; k++) {
    const at = k * selection.units + unit;
    if (rates[at]! > bar) selection.member[at] = 1;
  }
}

/**
 * The `count` units of lowest LAPE among those that `eligible` marks and whose LAPE is not NaN, lowest first; units
 * of equal LAPE in order of index (layer, then unit).
 */
export function lowestEntropy(entropies: Float64Array, count: number, eligible?: Uint8Array): Uint32Array {
  const candidates: number[] = [];
  for (let u = 0; u < entropies.length; u++) {
    if (!Number.isNaN(entropies[u]!) && (eligible === undefined || eligible[u] === 1)) candidates.push(u);
  }
  candidates.sort((a, b) => entropies[a]! - entropies[b]! || a - b);
  return Uint32Array.from(candidates.slice(0, count));
}
