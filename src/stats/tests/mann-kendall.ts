import { normalUpperTail } from './distributions.js';

export interface MannKendall {
  /** Σ_{i<j} sign(x_j − x_i). */
  readonly s: number;
  /** Kendall's τ_b of the values with their order: ties among the values are taken out of its scale. */
  readonly tau: number;
  /** Two-sided. */
  readonly p: number;
  /** The least p that any order of as many values without ties can have. */
  readonly leastP: number;
}

/** Up to here the distribution of S is counted out; beyond, it is normal to four digits. */
const EXACT_VALUES = 50;

/**
 * Test for a monotone trend in a series (Mann, 1945; Kendall, 1975). Without ties the p-value is exact: the share of the
 * n! orders whose |S| is as large. With ties, or more than 50 values, it is normal with variance
 * (n(n−1)(2n+5) − Σ t(t−1)(2t+5))/18 over groups of t equal values, continuity-corrected. NaN with fewer than three
 * values, a NaN among them, or all of them equal.
 */
export function mannKendall(values: ArrayLike<number>): MannKendall {
  const n = values.length;
  let s = 0;
  let tiedPairs = 0;
  let undefinedPair = false;
  for (let j = 1; j < n; j++) {
    for (let i = 0; i < j; i++) {
      const difference = values[j]! - values[i]!;
      if (Number.isNaN(difference)) undefinedPair = true;
      if (difference === 0) tiedPairs++;
      s += Math.sign(difference);
    }
  }
  const pairs = (n * (n - 1)) / 2;
  const leastP = n < 3 ? Number.NaN : twoSidedExact(n, pairs);
  if (n < 3 || undefinedPair || tiedPairs === pairs) {
    return { s: Number.NaN, tau: Number.NaN, p: Number.NaN, leastP };
  }
  const tau = s / Math.sqrt(pairs * (pairs - tiedPairs));
  if (tiedPairs === 0 && n <= EXACT_VALUES) return { s, tau, p: twoSidedExact(n, Math.abs(s)), leastP };
  const z = s === 0 ? 0 : (Math.abs(s) - 1) / Math.sqrt(variance(values));
  return { s, tau, p: Math.min(1, 2 * normalUpperTail(z)), leastP };
}

function variance(values: ArrayLike<number>): number {
  const term = (t: number) => t * (t - 1) * (2 * t + 5);
  const groups = new Map<number, number>();
  for (const value of Array.from(values)) groups.set(value, (groups.get(value) ?? 0) + 1);
  let ties = 0;
  for (const t of groups.values()) ties += term(t);
  return (term(values.length) - ties) / 18;
}

/** Share of the orders of n values whose number of inversions makes |S| at least `s`. */
function twoSidedExact(n: number, s: number): number {
  const pairs = (n * (n - 1)) / 2;
  // Inversions of a random order: Σ of independent uniforms on 0 … j for j < n, built up as a distribution.
  let shares = Float64Array.of(1);
  for (let j = 1; j < n; j++) {
    const next = new Float64Array(shares.length + j);
    for (const [inversions, share] of shares.entries()) {
      for (let more = 0; more <= j; more++) next[inversions + more]! += share / (j + 1);
    }
    shares = next;
  }
  let p = 0;
  for (const [inversions, share] of shares.entries()) {
    if (Math.abs(pairs - 2 * inversions) >= s) p += share;
  }
  return Math.min(1, p);
}
