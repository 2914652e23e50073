import { Argsort } from './argsort.js';

/**
 * q-values of Benjamini & Hochberg (1995): q_(i) = min over j ≥ i of m p_(j) / j, at most 1. Calling everything with
 * q ≤ α a discovery keeps the expected share of false discoveries at or below α if the tests are independent or
 * positively dependent (Benjamini & Yekutieli, 2001). A NaN among the p-values is no test: it stays NaN and does not
 * count among the m.
 */
export function benjaminiHochberg(p: ArrayLike<number>): Float64Array {
  const q = new Float64Array(p.length).fill(Number.NaN);
  const tested = Array.from({ length: p.length }, (_, i) => i).filter((i) => !Number.isNaN(p[i]!));
  const order = new Argsort(tested.length).order(Float64Array.from(tested, (i) => p[i]!));
  let least = 1;
  for (let rank = tested.length; rank >= 1; rank--) {
    const test = tested[order[rank - 1]!]!;
    least = Math.min(least, p[test]! * (tested.length / rank));
    q[test] = least;
  }
  return q;
}
