import { studentTQuantile, studentTUpperTail } from './distributions.js';
import type { Tested } from './welch.js';

export interface Equivalence {
  /** Of two one-sided tests (Schuirmann, 1987), the larger: small where the truth is shown to lie within ±margin. */
  readonly p: number;
  /** The smallest margin within which the truth is shown to lie at the level. */
  readonly leastMargin: number;
}

/**
 * Tests that the truth lies within ±margin, against its lying outside or on the edge. At the level α that is to ask
 * whether the interval of coverage 1 − 2α lies inside ±margin.
 *
 * @returns NaN where the estimate has no error, or for a margin that is not above 0.
 */
export function equivalence(
  { value, se, df }: Pick<Tested, 'value' | 'se' | 'df'>,
  margin: number,
  level = 0.05,
): Equivalence {
  if (!(df > 0) || !(se >= 0) || !(margin > 0)) return { p: Number.NaN, leastMargin: Number.NaN };
  const nearest = margin - Math.abs(value);
  if (se === 0) return { p: nearest > 0 ? 0 : 1, leastMargin: Math.abs(value) };
  // P(T > (margin − |value|)/SE) is the larger of the two.
  const tail = studentTUpperTail(Math.abs(nearest) / se, df);
  return {
    p: nearest >= 0 ? tail : 1 - tail,
    leastMargin: Math.abs(value) + studentTQuantile(1 - level, df) * se,
  };
}

export const FINDINGS = ['changed', 'unchanged', 'undecided', 'not measured'] as const;
export type Finding = (typeof FINDINGS)[number];

/**
 * What two tests say together. A truth shown to lie within the margin is `unchanged` even if it is shown not to be 0: the
 * margin says which changes do not matter. Neither shown is `undecided`, which is no finding.
 *
 * @param pChanged That the truth is 0; adjusted for the family. NaN: not measured.
 * @param pEquivalent That the truth lies outside the margin; NaN without a margin.
 */
export function findingOf(pChanged: number, pEquivalent: number, level = 0.05): Finding {
  if (Number.isNaN(pChanged)) return 'not measured';
  if (pEquivalent <= level) return 'unchanged';
  return pChanged <= level ? 'changed' : 'undecided';
}
