import type { RunManifest } from '../../store/index.js';

/** With more groups a jackknife gains next to nothing. */
const MOST_GROUPS = 30;

/** Items in groups that no cluster is split over. */
export interface ClusterGroups {
  /** What items of a cluster share. */
  readonly by: string;
  readonly clusters: number;
  readonly groups: number;
  /** [item]. */
  readonly groupOf: readonly number[];
}

/**
 * The clusters that a comparison can look at beside its folds: the first that the probe set names with fewer clusters than items.
 * An item of none is one by itself. More than 30 are joined to 30 groups, the largest first, each to the smallest group.
 *
 * @returns null where there are none, or where the folds are clusters already.
 */
export function clusterGroups({ items, clusters = [], foldsBy }: RunManifest['plan']): ClusterGroups | null {
  if (foldsBy !== undefined) return null;
  for (const { by, names, of } of clusters) {
    let count = names.length;
    const clusterOf = items.map((_, i) => of[i] ?? count++);
    const sizes = new Array<number>(count).fill(0);
    for (const cluster of clusterOf) sizes[cluster]!++;
    const present = sizes.filter((size) => size > 0).length;
    if (present < 2 || present === items.length) continue;
    const totals = new Array<number>(Math.min(MOST_GROUPS, present)).fill(0);
    const group = new Array<number>(count).fill(0);
    const order = [...sizes.keys()].filter((c) => sizes[c]! > 0).sort((a, b) => sizes[b]! - sizes[a]!);
    for (const cluster of order) {
      group[cluster] = totals.indexOf(Math.min(...totals));
      totals[group[cluster]!]! += sizes[cluster]!;
    }
    return { by, clusters: present, groups: totals.length, groupOf: clusterOf.map((c) => group[c]!) };
  }
  return null;
}
