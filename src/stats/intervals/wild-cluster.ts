import { Random } from '../sampling/random.js';
import { type ClusterSums, clusterMean, meanOf } from './cluster.js';

/** Webb's six points (2014): ±√(1/2), ±1, ±√(3/2), each as likely. */
const WEBB = [-Math.sqrt(1.5), -1, -Math.SQRT1_2, Math.SQRT1_2, 1, Math.sqrt(1.5)];
const RADEMACHER = [-1, 1];
/** Up to here every pattern of signs is counted out. */
const EXACT_CLUSTERS = 12;

export interface WildClusterOptions {
  readonly seed: number;
  /** Draws where patterns of signs are not counted out. Default 1999. */
  readonly draws?: number;
  /** Default: signs, and with fewer than 10 clusters Webb's six points, of which there are enough patterns even then. */
  readonly weights?: 'rademacher' | 'webb';
}

/** Weights of clusters, the same for every null that is tried, so that an interval's ends do not depend on the draws anew. */
export interface WildWeights {
  /** [draw]: float64 [cluster]. */
  readonly draws: readonly Float64Array[];
  /** All patterns are there, the observed among them. */
  readonly exact: boolean;
}

export function wildWeights(
  clusters: number,
  { seed, draws = 1999, weights = clusters < 10 ? 'webb' : 'rademacher' }: WildClusterOptions,
): WildWeights {
  if (weights === 'rademacher' && clusters <= EXACT_CLUSTERS) {
    const patterns = Array.from({ length: 2 ** clusters }, (_, bits) =>
      Float64Array.from({ length: clusters }, (_, g) => ((bits >> g) & 1 ? -1 : 1)),
    );
    return { draws: patterns, exact: true };
  }
  const points = weights === 'webb' ? WEBB : RADEMACHER;
  const random = new Random(seed);
  const drawn = Array.from({ length: draws }, () =>
    Float64Array.from({ length: clusters }, () => points[random.integer(points.length)]!),
  );
  return { draws: drawn, exact: false };
}

/**
 * Two-sided p-value of the wild cluster bootstrap of t that the mean is `expected`, with the null imposed (Cameron, Gelbach &
 * Miller, 2008): members' residuals under the null take a common random weight a cluster, and the t statistics of the
 * bootstrap samples, with CR2 errors, are what |t| is set beside. For clusters few and uneven, or heavy-tailed.
 *
 * @returns NaN with fewer than two clusters; never 0.
 */
export function wildClusterPValue(clusters: ClusterSums, expected: number, weights: WildWeights): number {
  const { sizes, sums } = clusters;
  if (sizes.length < 2) return Number.NaN;
  const t = (of: ClusterSums) => {
    const { value, se } = clusterMean(of);
    return se === 0 ? (value === expected ? 0 : Number.POSITIVE_INFINITY) : Math.abs(value - expected) / se;
  };
  const bar = t(clusters) * (1 - 1e-12);
  const drawn = new Float64Array(sizes.length);
  let extreme = weights.exact ? 0 : 1;
  for (const weight of weights.draws) {
    for (let g = 0; g < drawn.length; g++) {
      drawn[g] = sizes[g]! * expected + weight[g]! * (sums[g]! - sizes[g]! * expected);
    }
    if (t({ sizes, sums: drawn }) >= bar) extreme++;
  }
  return extreme / (weights.draws.length + (weights.exact ? 0 : 1));
}

/** Bisections of an end: to a part in 10⁶ of the bracket, far below what draws can tell. */
const BISECTIONS = 20;
/** Standard errors beyond which no end is looked for. */
const FARTHEST = 1e6;

/**
 * The interval of all means that `wildClusterPValue` does not reject.
 *
 * @returns NaN with fewer than two clusters; infinite ends where so few clusters can reject nothing.
 */
export function wildClusterInterval(
  clusters: ClusterSums,
  options: WildClusterOptions & { readonly confidence?: number },
): { readonly low: number; readonly high: number } {
  const { mean } = meanOf(clusters);
  const { se } = clusterMean(clusters);
  if (Number.isNaN(se)) return { low: Number.NaN, high: Number.NaN };
  if (se === 0) return { low: mean, high: mean };
  const level = 1 - (options.confidence ?? 0.95);
  const weights = wildWeights(clusters.sizes.length, options);
  const rejected = (distance: number) => wildClusterPValue(clusters, mean + distance * se, weights) <= level;
  const end = (sign: number): number => {
    let [inside, outside] = [0, 2];
    while (!rejected(sign * outside)) {
      if (outside > FARTHEST) return sign * Number.POSITIVE_INFINITY;
      [inside, outside] = [outside, 2 * outside];
    }
    for (let n = 0; n < BISECTIONS; n++) {
      const middle = (inside + outside) / 2;
      if (rejected(sign * middle)) outside = middle;
      else inside = middle;
    }
    return mean + sign * outside * se;
  };
  return { low: end(-1), high: end(1) };
}
