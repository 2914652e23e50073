import { type RateSummary, summarise } from './rate-summary.js';
import {
  emptySelection,
  lowestEntropy,
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
  { bar, highest, entropies }: RateSummary,
  { fraction = SELECTED_FRACTION }: Pick<Tang2024Options, 'fraction'> = {},
): ReferenceCut & { readonly units: Uint32Array } {
  const units = lowestEntropy(
    entropies,
    roundHalfEven(entropies.length * fraction),
    (unit) => highest[unit]! > bar,
  );
  const last = units.at(-1);
  return { units, entropyCut: last === undefined ? Number.NaN : entropies[last]!, bar, fraction };
}

/** Python's `round`. */
function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  if (x - floor !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}
