/**
 * Adjusted p-values of Holm (1979): p̃_(i) = max over j ≤ i of (m − j + 1) p_(j), at most 1. Calling everything with p̃ ≤ α
 * keeps the chance of any false call at or below α, however the tests depend on each other. A NaN is no test: it stays NaN
 * and does not count among the m.
 */
export function holm(p: ArrayLike<number>): Float64Array {
  const adjusted = new Float64Array(p.length).fill(Number.NaN);
  const order = Array.from({ length: p.length }, (_, i) => i)
    .filter((i) => !Number.isNaN(p[i]!))
    .sort((a, b) => p[a]! - p[b]!);
  let most = 0;
  for (const [rank, i] of order.entries()) {
    most = Math.max(most, Math.min(1, (order.length - rank) * p[i]!));
    adjusted[i] = most;
  }
  return adjusted;
}
