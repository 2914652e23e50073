import { normalUpperTail } from '../tests/distributions.js';

/**
 * Units below a cut, each counted by the chance that another sample would put it there: Σ Φ((cut − value)/SE). A unit on
 * the cut counts half, whatever side of it chance has put it, so the count moves smoothly with the values. As a number of
 * units it is too near the middle of the scale by what the smoothing adds; it is given beside the hard count, never
 * instead.
 *
 * @param values [unit]; NaN counts for nothing, as does a unit without an error.
 * @param se [unit]: standard errors; with 0 a unit counts wholly or, on the cut, half.
 */
export function softCount(values: ArrayLike<number>, se: ArrayLike<number>, cut: number): number {
  let count = 0;
  for (let u = 0; u < values.length; u++) {
    const distance = cut - values[u]!;
    if (Number.isNaN(distance) || Number.isNaN(se[u]!)) continue;
    if (distance === 0) count += 0.5;
    else {
      const beyond = normalUpperTail(Math.abs(distance) / se[u]!);
      count += distance > 0 ? 1 - beyond : beyond;
    }
  }
  return count;
}
