import { jackknifeDistances, type UnitIntervals } from '../../stats/index.js';

/**
 * Intervals (`distanceInterval`) of the share of variance that lies between languages: at this number of items, and of infinitely many. The
 * latter has none of what chance adds at this number, which is the share's bias. Where languages cannot be told apart the
 * former reaches to 0: what chance adds is itself only estimated.
 */
export function languageShares(
  share: Float64Array,
  replicates: readonly Float64Array[],
): readonly [UnitIntervals, UnitIntervals] {
  const distances = jackknifeDistances(share, replicates);
  const { se, low, high, bias } = distances;
  const chance = bias.map((own) => Math.max(0, own));
  return [
    {
      value: share,
      se,
      low: low.map((end, u) => (end > 0 ? Math.min(end + chance[u]!, share[u]!) : end)),
      high: high.map((end, u) => Math.min(1, Math.max(end + chance[u]!, share[u]!))),
    },
    distances,
  ];
}
