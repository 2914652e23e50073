/**
 * Spearman–Brown step-up (Spearman, 1910; Brown, 1910): the reliability of the whole from the correlation r of its
 * halves, 2r/(1 + r). NaN for r ≤ −1, where the formula has no value.
 */
export function spearmanBrown(halves: number): number {
  return halves > -1 ? (2 * halves) / (1 + halves) : Number.NaN;
}
