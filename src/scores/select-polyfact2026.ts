import { emptySelection, lowestEntropy, SELECTED_FRACTION, type Selection } from './selection.js';
import { topLanguage } from './top-language.js';

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
  const units = entropies.length;
  const selection = emptySelection(languages, units);
  const top = topLanguage(rates, languages);
  for (const unit of lowestEntropy(entropies, Math.floor(units * fraction))) {
    if (top[unit] === -1) continue;
    selection.selected[unit] = 1;
    selection.member[top[unit]! * units + unit] = 1;
  }
  return selection;
}
