import { emptySelection, type ReferenceCut, type Selection, selectAboveBar } from './selection.js';

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
