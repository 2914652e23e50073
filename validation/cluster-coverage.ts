import { clusterMean, wildClusterPValue, wildWeights, wilsonInterval } from '../src/stats/index.js';
import { Draws } from '../src/stats/sampling/random.js';
import { studentTest } from '../src/stats/tests/welch.js';
import type { Share } from './verdict-power.js';

/** Intervals for other clusters, and the one that takes members for independent. */
export const CLUSTER_METHODS = ['members as independent', 'CR2', 'wild bootstrap'] as const;
export type ClusterMethod = (typeof CLUSTER_METHODS)[number];

export interface ClusterPoint {
  readonly clusters: number;
  /** Members of clusters: all 12, or from 2 to 60. */
  readonly sizes: 'even' | 'uneven';
  /** Of clusters: normal, or exponential. */
  readonly spread: 'normal' | 'skewed';
  readonly repetitions: number;
  readonly coverage: Readonly<Record<ClusterMethod, Share>>;
}

const CLUSTERS = [5, 10, 30];
const MEMBERS = 12;
/** Share of the variance that members of a cluster have in common. */
const SHARED = 0.3;
const DRAWS = 399;

/** How often intervals of a mean hold it, where members of a cluster are alike. */
export function clusterCoverage(repetitions = 300, seed = 0): ClusterPoint[] {
  return CLUSTERS.flatMap((clusters) =>
    (['even', 'uneven'] as const).flatMap((sizes) =>
      (['normal', 'skewed'] as const).map((spread) => {
        const draws = new Draws(seed + clusters);
        const weights = wildWeights(clusters, { seed: seed + 1, draws: DRAWS });
        const held: Record<ClusterMethod, number> = {
          'members as independent': 0,
          CR2: 0,
          'wild bootstrap': 0,
        };
        for (let n = 0; n < repetitions; n++) {
          const drawn = drawClusters(draws, clusters, sizes, spread);
          const holds = ({ low, high }: { low: number; high: number }) => Number(low <= 0 && 0 <= high);
          held['members as independent'] += holds(drawn.asIndependent);
          held.CR2 += holds(clusterMean(drawn));
          held['wild bootstrap'] += Number(wildClusterPValue(drawn, 0, weights) > 0.05);
        }
        const share = (count: number): Share => {
          const [low, high] = wilsonInterval(count, repetitions);
          return { share: count / repetitions, low, high };
        };
        const coverage = Object.fromEntries(
          CLUSTER_METHODS.map((method) => [method, share(held[method])]),
        ) as ClusterPoint['coverage'];
        return { clusters, sizes, spread, repetitions, coverage };
      }),
    ),
  );
}

/** Members with mean 0 and variance 1, of which SHARED is their cluster's. */
function drawClusters(
  draws: Draws,
  clusters: number,
  kind: ClusterPoint['sizes'],
  spread: ClusterPoint['spread'],
) {
  const sizes = new Float64Array(clusters);
  const sums = new Float64Array(clusters);
  let [n, sum, squares] = [0, 0, 0];
  for (let g = 0; g < clusters; g++) {
    sizes[g] = kind === 'even' ? MEMBERS : Math.round(2 * 30 ** (g / (clusters - 1)));
    const common =
      Math.sqrt(SHARED) * (spread === 'normal' ? draws.gaussian() : -Math.log(draws.uniform()) - 1);
    for (let m = 0; m < sizes[g]!; m++) {
      const x = common + Math.sqrt(1 - SHARED) * draws.gaussian();
      sums[g]! += x;
      sum += x;
      squares += x * x;
      n++;
    }
  }
  const variance = (squares - (sum * sum) / n) / (n - 1) / n;
  return { sizes, sums, asIndependent: studentTest(sum / n, Math.sqrt(variance), n - 1) };
}
