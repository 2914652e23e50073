import { type FoldShape, meanOverTokens, type Numbers } from '../store/index.js';

/**
 * Firing rate p_k = #{t in k : hook_pre(t) > 0} / T_k (the activation probability of Tang et al., ACL 2024).
 *
 * @param fire [fold, language, unit]: counted tokens with hook_pre > 0.
 * @param tokens [fold, language]: counted tokens.
 * @param chosen Folds to use; default all.
 * @returns [language, unit], in 0 … 1; NaN for a language without tokens.
 */
export function firingRate(
  fire: Numbers,
  tokens: Numbers,
  shape: FoldShape,
  chosen?: readonly number[],
): Float64Array {
  return meanOverTokens(fire, tokens, shape, chosen);
}
