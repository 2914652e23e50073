import { type FoldShape, meanOverTokens, type Numbers } from '../store/index.js';

/**
 * Router mass m_{e,k}: mean over k's counted tokens of the probability that the router gives expert e, chosen or not (the P
 * of the load balancing loss of Fedus et al., JMLR 2022, for each language). Over the experts of a layer it sums to 1
 * where the router is a softmax over them, and to anything where it is a sigmoid of each (DeepSeek-V3).
 *
 * @param sums [fold, language, expert]: of hook_router over counted tokens.
 * @param tokens [fold, language]: counted tokens.
 * @param chosen Folds to use; default all.
 * @returns [language, expert], in 0 … 1; NaN for a language without tokens.
 */
export function routerMass(
  sums: Numbers,
  tokens: Numbers,
  shape: FoldShape,
  chosen?: readonly number[],
): Float64Array {
  return meanOverTokens(sums, tokens, shape, chosen);
}
