import { noncentralFUpperTail } from './noncentral-f.js';

/** A two-way layout of items and languages, one value a cell, as sums of squares. */
export interface EffectSquares {
  readonly items: number;
  readonly languages: number;
  /** [unit], as are the others; in squared units of the values. */
  readonly total: ArrayLike<number>;
  readonly language: ArrayLike<number>;
  readonly item: ArrayLike<number>;
}

/**
 * p-values that a unit's ω² of language exceeds a smallest effect of interest ω₀² (Murphy & Myors, 1999; Steiger, 2004). A null
 * of exactly 0 is false of nearly every unit; that languages matter by more than ω₀² is a claim.
 *
 * Under ω² = ω₀² the F of languages is noncentral with λ = N K ω₀²/(1 − ω₀²) · s, where s = (σ²_item + σ²_rest)/σ²_rest, since ω²
 * is a share of all variance, items' too. s is estimated, MS_item/MS_rest being about 1 + K σ²_item/σ²_rest, and not below 1. Supposes
 * rests of one variance in all languages, as ω² does.
 *
 * @param smallest ω₀², 0 ≤ ω₀² < 1; 0 is the ordinary F test.
 * @returns [unit]; NaN for a unit that is constant, and with fewer than two items or languages.
 */
export function minimumEffectPValues(
  { items, languages, total, language, item }: EffectSquares,
  smallest: number,
): Float64Array {
  const [df1, dfItem] = [languages - 1, items - 1];
  const df2 = df1 * dfItem;
  return Float64Array.from({ length: total.length }, (_, u) => {
    const rest = total[u]! - language[u]! - item[u]!;
    if (items < 2 || languages < 2 || !(total[u]! > 0)) return Number.NaN;
    // Nothing but languages: no rest to doubt it by.
    if (!(rest > total[u]! * 1e-12)) return language[u]! > 0 ? 0 : 1;
    const meanRest = rest / df2;
    const share = 1 + Math.max(0, item[u]! / dfItem / meanRest - 1) / languages;
    const lambda = (items * languages * smallest * share) / (1 - smallest);
    return noncentralFUpperTail(language[u]! / df1 / meanRest, df1, df2, lambda);
  });
}
