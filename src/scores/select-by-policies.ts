import { selectPolyfact2026 } from './select-polyfact2026.js';
import { referenceCut, selectTang2024 } from './select-tang2024.js';
import { countSelected, languagesOf, SELECTED_FRACTION, type Selection } from './selection.js';
import type { PolicyCounts } from './types.js';

/** A selection with the numbers it follows from. */
export interface PolicySelection {
  readonly selection: Selection;
  /** Highest LAPE selected; NaN if nothing is. */
  readonly entropyCut: number;
  /** NaN for a policy without a bar. */
  readonly bar: number;
}

export interface PolicySelections {
  readonly tang2024: PolicySelection;
  readonly polyfact2026: PolicySelection;
}

/** The two policies that need only the run itself; `reference` needs another run and lives in comparisons. */
export function selectByPolicies(
  rates: Float64Array,
  entropies: Float64Array,
  languages: number,
): PolicySelections {
  const { entropyCut, bar } = referenceCut(rates, entropies, languages);
  const polyfact2026 = selectPolyfact2026(rates, entropies, languages);
  return {
    tang2024: { selection: selectTang2024(rates, entropies, languages), entropyCut, bar },
    polyfact2026: {
      selection: polyfact2026,
      entropyCut: highestSelected(polyfact2026, entropies),
      bar: Number.NaN,
    },
  };
}

export function policyCounts({ selection, entropyCut, bar }: PolicySelection): PolicyCounts {
  const perLanguage = new Array<number>(selection.languages).fill(0);
  let shared = 0;
  for (let unit = 0; unit < selection.units; unit++) {
    if (selection.selected[unit] !== 1) continue;
    const own = languagesOf(selection, unit);
    if (own.length > 1) shared++;
    for (const k of own) perLanguage[k]! += 1;
  }
  return {
    entropyCut: Number.isNaN(entropyCut) ? null : entropyCut,
    bar: Number.isNaN(bar) ? null : bar,
    fraction: SELECTED_FRACTION,
    selected: countSelected(selection),
    shared,
    perLanguage,
  };
}

function highestSelected({ selected }: Selection, entropies: Float64Array): number {
  let highest = Number.NaN;
  for (let unit = 0; unit < selected.length; unit++) {
    if (selected[unit] === 1 && !(entropies[unit]! <= highest)) highest = entropies[unit]!;
  }
  return highest;
}
