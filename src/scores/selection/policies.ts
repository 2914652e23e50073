import type { PolicyCounts } from '../tables/summary.js';
import { topLanguage } from './of-rates.js';
import { type RateSummary, summarise } from './rate-summary.js';
import {
  countSelected,
  emptySelection,
  languagesOf,
  lowestEntropy,
  type RateBlock,
  type ReferenceCut,
  SELECTED_FRACTION,
  type Selection,
  selectAboveBar,
} from './selection.js';

export interface Tang2024Options {
  /** Share of all units to select. Default 0.01. */
  readonly fraction?: number;
  /** Percentile of all rates that is the bar, 0 … 1. Default 0.95. */
  readonly percentile?: number;
}

/**
 * Policy `tang2024` (Tang et al., ACL 2024). The bar is the 95th percentile of all rates, all units and languages
 * together. A unit is eligible if some rate exceeds it. The eligible units of lowest LAPE are selected until 1 % of
 * *all* units is reached (the product rounded half to even, so 3,523 of LLaMA-2-7B's 352,256); each belongs to every
 * language whose rate exceeds the bar.
 *
 * Their released code takes the bar by `kthvalue(round(0.95 n))`, an order statistic, where we interpolate (type 7,
 * numpy's default): with millions of rates the two agree to the last digits. Units of equal LAPE are taken in order
 * of index; there the order of `topk` decides, which PyTorch leaves open.
 *
 * Where the last of them would have an entropy of ln K, all that is selected says nothing of languages, and nothing is.
 *
 * @param rates [language, unit], all layers together.
 * @param entropies [unit]: LAPE; NaN is never selected.
 */
export function selectTang2024(
  rates: Float64Array,
  entropies: Float64Array,
  languages: number,
  options: Tang2024Options = {},
): Selection {
  const selection = emptySelection(languages, entropies.length);
  const { bar, units } = tang2024Units(summarise(rates, entropies, languages, options.percentile), options);
  for (const unit of units) selectAboveBar(selection, { start: 0, rates }, bar, unit);
  return selection;
}

/**
 * The numbers that `reference` holds fixed: the bar of `tang2024` on the reference run, and the LAPE of the last unit that
 * `tang2024` selects there.
 */
export function referenceCut(
  rates: Float64Array,
  entropies: Float64Array,
  languages: number,
  options: Tang2024Options = {},
): ReferenceCut {
  return tang2024Units(summarise(rates, entropies, languages, options.percentile), options);
}

/** The units that `tang2024` selects, lowest LAPE first, and the cut that `reference` holds fixed. */
export function tang2024Units(
  { bar, highest, entropies, languages }: RateSummary,
  { fraction = SELECTED_FRACTION }: Pick<Tang2024Options, 'fraction'> = {},
): ReferenceCut & { readonly units: Uint32Array } {
  const units = lowestEntropy(
    entropies,
    roundHalfEven(entropies.length * fraction),
    (unit) => highest[unit]! > bar,
  );
  const last = units.at(-1);
  if (isEven(entropies, units, languages))
    return { units: new Uint32Array(), entropyCut: Number.NaN, bar, fraction, reachesEven: true };
  return { units, entropyCut: last === undefined ? Number.NaN : entropies[last]!, bar, fraction };
}

/** Entropies of units that fire alike in all languages differ from ln K by rounding alone. */
const EVEN = 1e-9;

/** Whether the last of the chosen units, lowest LAPE first, fires alike in all languages. */
function isEven(entropies: Float64Array, units: Uint32Array, languages: number): boolean {
  const last = units.at(-1);
  return languages > 1 && last !== undefined && entropies[last]! >= Math.log(languages) - EVEN;
}

/** Python's `round`. */
function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

/**
 * Policy `polyfact2026` (the released script of the consistency-driven-RL paper, 2026): no bar; the 1 % of all units
 * (floor of the product) of lowest LAPE, units that never fire excluded; each belongs to argmax_k q_k alone.
 *
 * @param rates [language, unit], all layers together.
 * @param entropies [unit]: LAPE; NaN is never selected.
 */
export function selectPolyfact2026(
  rates: Float64Array,
  entropies: Float64Array,
  languages: number,
  { fraction = SELECTED_FRACTION }: { readonly fraction?: number } = {},
): Selection {
  const selection = emptySelection(languages, entropies.length);
  for (const unit of polyfact2026Units(entropies, languages, fraction))
    selectTop(selection, { start: 0, rates }, unit);
  return selection;
}

/** The units that `polyfact2026` selects, lowest LAPE first. */
function polyfact2026Units(
  entropies: Float64Array,
  languages: number,
  fraction = SELECTED_FRACTION,
): Uint32Array {
  const units = lowestEntropy(entropies, Math.floor(entropies.length * fraction));
  return isEven(entropies, units, languages) ? new Uint32Array() : units;
}

/** Marks a unit of a block, if a rate of it is above 0, and its top language. */
function selectTop(selection: Selection, { start, rates }: RateBlock, unit: number): void {
  const { languages, units } = selection;
  const n = rates.length / languages;
  const own = Float64Array.from({ length: languages }, (_, k) => rates[k * n + unit - start]!);
  const top = topLanguage(own, languages)[0]!;
  if (top === -1) return;
  selection.selected[unit] = 1;
  selection.member[top * units + unit] = 1;
}

/** A selection with the numbers it follows from. */
interface PolicySelection {
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
  const lowest = polyfact2026Units(entropies, languages);
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
