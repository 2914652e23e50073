import { type FoldShape, meanOverTokens, type Numbers } from '../store/index.js';

/**
 * Selection frequency of experts, f_{e,k} = share of k's counted tokens whose top-k choice includes e: the domain
 * specialisation of Muennighoff et al. (OLMoE, 2024), with languages for domains; of one language the f of the load
 * balancing loss (Fedus et al., JMLR 2022). In a layer it sums to the number of experts a token goes to.
 *
 * @param count [fold, language, expert]: counted tokens routed to the expert.
 * @param tokens [fold, language]: counted tokens.
 * @param chosen Folds to use; default all.
 * @returns [language, expert], in 0 … 1; NaN for a language without tokens.
 */
export function selectionFrequency(
  count: Numbers,
  tokens: Numbers,
  shape: FoldShape,
  chosen?: readonly number[],
): Float64Array {
  return meanOverTokens(count, tokens, shape, chosen);
}
