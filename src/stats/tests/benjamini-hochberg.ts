/**
 * q-values of Benjamini & Hochberg (1995): q_(i) = min over j ≥ i of m p_(j) / j, at most 1. Calling everything with
 * q ≤ α a discovery keeps the expected share of false discoveries at or below α if the tests are independent or
 * positively dependent (Benjamini & Yekutieli, 2001). A NaN among the p-values is no test: it stays NaN and does not
 * count among the m.
 */
export function benjaminiHochberg(p: ArrayLike<number>): Float64Array {
  return Float64Array.from(p, qOfSorted(Float64Array.from(p)));
}

/**
 * The same where many tests share a p-value, as those of permutations do.
 *
 * @param counts By p-value: how many tests have it.
 * @returns by p-value: its q.
 */
export function qOfCounts(counts: ReadonlyMap<number, number>): Map<number, number> {
  const descending = [...counts].sort(([a], [b]) => b - a);
  const tests = descending.reduce((sum, [, count]) => sum + count, 0);
  const q = new Map<number, number>();
  let rank = tests;
  let least = 1;
  for (const [p, count] of descending) {
    least = Math.min(least, p * (tests / rank));
    q.set(p, least);
    rank -= count;
  }
  return q;
}

/**
 * The same of so many tests that their order would not fit into memory beside them.
 *
 * @param p is sorted.
 * @returns the q of any of the p-values; NaN of NaN.
 */
export function qOfSorted(p: Float64Array): (p: number) => number {
  p.sort();
  let tests = p.length;
  // Typed arrays sort NaN last.
  while (tests > 0 && Number.isNaN(p[tests - 1]!)) tests--;
  const q = new Float64Array(tests);
  let least = 1;
  for (let rank = tests; rank >= 1; rank--) {
    least = Math.min(least, p[rank - 1]! * (tests / rank));
    q[rank - 1] = least;
  }
  return (value) => {
    let [low, high] = [0, tests];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (p[middle]! < value) low = middle + 1;
      else high = middle;
    }
    return p[low] === value ? q[low]! : Number.NaN;
  };
}
