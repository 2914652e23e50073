import { topLanguage } from './of-rates.js';
import {
  emptySelection,
  lowestEntropy,
  type RateBlock,
  SELECTED_FRACTION,
  type Selection,
} from './selection.js';

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
  for (const unit of polyfact2026Units(entropies, fraction)) selectTop(selection, { start: 0, rates }, unit);
  return selection;
}

/** The units that `polyfact2026` selects, lowest LAPE first. */
export function polyfact2026Units(entropies: Float64Array, fraction = SELECTED_FRACTION): Uint32Array {
  return lowestEntropy(entropies, Math.floor(entropies.length * fraction));
}

/** Marks a unit of a block, if a rate of it is above 0, and its top language. */
export function selectTop(selection: Selection, { start, rates }: RateBlock, unit: number): void {
  const { languages, units } = selection;
  const n = rates.length / languages;
  const own = Float64Array.from({ length: languages }, (_, k) => rates[k * n + unit - start]!);
  const top = topLanguage(own, languages)[0]!;
  if (top === -1) return;
  selection.selected[unit] = 1;
  selection.member[top * units + unit] = 1;
}
