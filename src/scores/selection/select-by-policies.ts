import type { PolicyCounts } from '../tables/summary.js';
import type { RateSummary } from './rate-summary.js';
import { polyfact2026Units, selectTop } from './select-polyfact2026.js';
import { tang2024Units } from './select-tang2024.js';
import {
  countSelected,
  emptySelection,
  languagesOf,
  type RateBlock,
  SELECTED_FRACTION,
  type Selection,
  selectAboveBar,
} from './selection.js';

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

/**
 * The two policies that need only the run itself; `reference` needs another run and lives in comparisons.
 *
 * @param blocks The rates of all units, some at a time, in order.
 */
export function selectByPolicies(
  summary: RateSummary,
  languages: number,
  blocks: Iterable<RateBlock>,
): PolicySelections {
  const { entropies } = summary;
  const all = entropies.length;
  const { units, entropyCut, bar } = tang2024Units(summary);
  const lowest = polyfact2026Units(entropies);
  const tang2024 = { selection: emptySelection(languages, all), entropyCut, bar };
  const polyfact2026 = {
    selection: emptySelection(languages, all),
    entropyCut: lowest.length === 0 ? Number.NaN : entropies[lowest.at(-1)!]!,
    bar: Number.NaN,
  };
  const [ofTang2024, ofPolyfact2026] = [units.sort(), lowest.sort()];
  let [t, p] = [0, 0];
  for (const block of blocks) {
    const end = block.start + block.rates.length / languages;
    while (ofTang2024[t]! < end) selectAboveBar(tang2024.selection, block, bar, ofTang2024[t++]!);
    while (ofPolyfact2026[p]! < end) selectTop(polyfact2026.selection, block, ofPolyfact2026[p++]!);
  }
  return { tang2024, polyfact2026 };
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
