import { createHash } from 'node:crypto';
import type { ProbeItem } from '../../probes/index.js';
import type { Clustering } from '../../store/index.js';
import { FOLDS } from './deal.js';

/** The clusters that a probe set names, by what items share, in the order of the items. */
export function clusterings(items: readonly ProbeItem[]): Clustering[] {
  const kinds = new Set(items.flatMap(({ clusters }) => Object.keys(clusters ?? {})));
  return [...kinds].sort().map((by) => {
    const indices = new Map<string, number>();
    const of = items.map(({ clusters }) => {
      const name = clusters !== undefined && Object.hasOwn(clusters, by) ? clusters[by] : undefined;
      if (name === undefined) return null;
      if (!indices.has(name)) indices.set(name, indices.size);
      return indices.get(name)!;
    });
    return { by, names: [...indices.keys()], of };
  });
}

/**
 * Deals whole clusters into folds: the largest first, each into the fold that holds the fewest items, so that folds are as even
 * as clusters allow. Clusters of one size go in the order of the SHA-256 of seed and name. An item of no cluster is one itself.
 * With fewer clusters than folds, every cluster is a fold of its own.
 *
 * @returns fold by item id
 */
export function dealClusters(
  items: readonly Pick<ProbeItem, 'id'>[],
  { names, of }: Clustering,
  seed: number,
): { folds: number; foldOf: ReadonlyMap<string, number> } {
  const members = new Map<string, string[]>();
  for (const [i, { id }] of items.entries()) {
    const cluster = of[i] ?? null;
    const name = cluster === null ? `item\0${id}` : `cluster\0${names[cluster]}`;
    members.set(name, [...(members.get(name) ?? []), id]);
  }
  const key = (name: string) => createHash('sha256').update(`${seed}\0${name}`).digest('hex');
  const order = [...members]
    .map(([name, ids]) => ({ ids, key: key(name) }))
    .sort((a, b) => b.ids.length - a.ids.length || (a.key < b.key ? -1 : 1));
  const sizes = new Array<number>(Math.min(FOLDS, order.length)).fill(0);
  const foldOf = new Map<string, number>();
  for (const { ids } of order) {
    const fold = sizes.indexOf(Math.min(...sizes));
    sizes[fold]! += ids.length;
    for (const id of ids) foldOf.set(id, fold);
  }
  return { folds: sizes.length, foldOf };
}
