/** Most arrangements that are counted out. */
const MOST = 200_000;

/** The number of ways to choose k of n, up to rounding. */
function choose(n: number, k: number): number {
  let ways = 1;
  for (let i = 1; i <= k; i++) ways = (ways * (n - k + i)) / i;
  return Math.round(ways);
}

export interface TwoSamplePermutation {
  /** Two-sided; NaN where it is not computed. */
  readonly p: number;
  /** The least p that values of these numbers can have. */
  readonly leastP: number;
}

/**
 * Exact permutation test of the difference of two means (Fisher, 1935; Pitman, 1937): the share of all ways of dealing the
 * values to the two sides whose |difference| is as large. Three values a side have no p below 0.1, four none below 0.029.
 *
 * @returns p NaN with a NaN, an empty side, or more than 200,000 arrangements, where the t test is as good.
 */
export function twoSamplePermutation(
  first: ArrayLike<number>,
  second: ArrayLike<number>,
): TwoSamplePermutation {
  const all = [...Array.from(first), ...Array.from(second)];
  const [n, m] = [all.length, first.length];
  const arrangements = choose(n, m);
  const leastP = (2 * m === n ? 2 : 1) / arrangements;
  if (m === 0 || m === n || arrangements > MOST || all.some(Number.isNaN)) return { p: Number.NaN, leastP };
  const centre = all.reduce((sum, value) => sum + value, 0) / n;
  const values = all.map((value) => value - centre);
  const scale = Math.max(...values.map(Math.abs));
  // The difference of means is a multiple of the first side's sum of centred values.
  const bar = Math.abs(values.slice(0, m).reduce((sum, value) => sum + value, 0)) - 1e-12 * scale * n;
  let extreme = 0;
  const deal = (from: number, left: number, sum: number): void => {
    if (left === 0) {
      if (Math.abs(sum) >= bar) extreme++;
      return;
    }
    for (let i = from; i <= n - left; i++) deal(i + 1, left - 1, sum + values[i]!);
  };
  deal(0, m, 0);
  return { p: extreme / arrangements, leastP };
}
