import { studentTest, type Tested } from '../tests/welch.js';

/** Sums over the members of clusters, [cluster]: what is known of each where its members stand or fall together. */
export interface ClusterSums {
  /** [cluster]: members. */
  readonly sizes: ArrayLike<number>;
  /** [cluster]: the sum of their values. */
  readonly sums: ArrayLike<number>;
}

/** Adds up values by cluster. Clusters without members, or whose values are all NaN, are left out. */
export function clusterSums(values: ArrayLike<number>, cluster: ArrayLike<number>): ClusterSums {
  const sizes = new Map<number, number>();
  const sums = new Map<number, number>();
  for (let i = 0; i < values.length; i++) {
    if (Number.isNaN(values[i]!)) continue;
    const own = cluster[i]!;
    sizes.set(own, (sizes.get(own) ?? 0) + 1);
    sums.set(own, (sums.get(own) ?? 0) + values[i]!);
  }
  return { sizes: Float64Array.from(sizes.values()), sums: Float64Array.from(sums.values()) };
}

/**
 * The mean over members with an error for other clusters: the CR2 variance of Bell & McCaffrey (2002), which lifts each
 * cluster's residuals by (1 − n_g/n)^(−1/2), and their degrees of freedom by Satterthwaite's rule with members taken as
 * independent (Imbens & Kolesár, 2016). With clusters of one size it is the t test of the cluster means with G − 1 degrees;
 * with uneven ones the degrees are fewer, as they should be.
 *
 * @returns all but `value` NaN with fewer than two clusters, or where one holds all members.
 */
export function clusterMean({ sizes, sums }: ClusterSums, confidence = 0.95): Tested {
  const clusters = sizes.length;
  const { n, mean } = meanOf({ sizes, sums });
  if (clusters < 2) return studentTest(mean, Number.NaN, Number.NaN);
  let variance = 0;
  // Σ_g,h (G'G)²: what each cluster weighs in the variance, and how they hang together through the mean.
  let trace = 0;
  let squares = 0;
  const lift = Float64Array.from(sizes, (size) => 1 / (1 - size / n));
  for (let g = 0; g < clusters; g++) {
    const residual = sums[g]! - sizes[g]! * mean;
    variance += (residual * residual * lift[g]!) / (n * n);
    trace += sizes[g]!;
    for (let h = 0; h < clusters; h++) {
      const shared = -(sizes[g]! * sizes[h]!) / n + (g === h ? sizes[g]! : 0);
      squares += lift[g]! * lift[h]! * shared * shared;
    }
  }
  return studentTest(mean, Math.sqrt(variance), (trace * trace) / squares, confidence);
}

/** Mean of all members, and their number. */
export function meanOf({ sizes, sums }: ClusterSums): { readonly n: number; readonly mean: number } {
  let n = 0;
  let sum = 0;
  for (let g = 0; g < sizes.length; g++) {
    n += sizes[g]!;
    sum += sums[g]!;
  }
  return { n, mean: sum / n };
}
