import { Argsort } from '../sorting/argsort.js';

const sorter = new Argsort();

/**
 * Spearman's rank correlation with midranks for ties. Pairs in which either value is NaN are left out. NaN with
 * fewer than three pairs, or if either side is constant.
 *
 * simple-statistics' `sampleRankCorrelation` gives the same number but sorts arrays of pairs; reliability asks for
 * hundreds of correlations over thousands of units, for which ranks of typed arrays are needed.
 */
export function spearman(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let pairs = 0;
  const keptX = new Float64Array(x.length);
  const keptY = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) {
    if (Number.isNaN(x[i]!) || Number.isNaN(y[i]!)) continue;
    keptX[pairs] = x[i]!;
    keptY[pairs] = y[i]!;
    pairs++;
  }
  if (pairs < 3) return Number.NaN;
  return rankCorrelation(midranks(keptX.subarray(0, pairs)), midranks(keptY.subarray(0, pairs)));
}

/** Ranks 1 … n, tied values sharing the mean of the ranks they span. Values must not be NaN. */
export function midranks(values: Float64Array): Float64Array {
  const order = sorter.order(values);
  const ranks = new Float64Array(values.length);
  for (let first = 0; first < order.length; ) {
    let past = first + 1;
    while (past < order.length && values[order[past]!] === values[order[first]!]) past++;
    for (let i = first; i < past; i++) ranks[order[i]!] = (first + 1 + past) / 2;
    first = past;
  }
  return ranks;
}

/** Pearson's correlation of ranks, whose mean is (n + 1)/2 whatever the ties. */
function rankCorrelation(x: Float64Array, y: Float64Array): number {
  const mean = (x.length + 1) / 2;
  let xx = 0;
  let yy = 0;
  let xy = 0;
  for (let i = 0; i < x.length; i++) {
    const dx = x[i]! - mean;
    const dy = y[i]! - mean;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  if (xx === 0 || yy === 0) return Number.NaN;
  return Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
}

/**
 * Spearman–Brown step-up (Spearman, 1910; Brown, 1910): the reliability of the whole from the correlation r of its
 * halves, 2r/(1 + r). NaN for r ≤ −1, where the formula has no value.
 */
export function spearmanBrown(halves: number): number {
  return halves > -1 ? (2 * halves) / (1 + halves) : Number.NaN;
}
