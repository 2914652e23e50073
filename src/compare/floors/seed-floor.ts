import { quantile } from '../../stats/index.js';
import type { SeedFloor, Spread } from '../comparison.js';
import type { Direction } from '../quantities/quantity.js';
import { CHANGED_SHARE, shareBeyond, sizes } from './sampling-floor.js';

/**
 * Sets a number between two regimes beside what another training seed alone does to it, as `samplingFloor` does with
 * halves of the items: `withinFrom` and `withinTo` are the number between two seeds of one regime, over all pairs,
 * `across` between a seed of one and a seed of the other, over all pairs, everything at full size. With so few values
 * no percentile is taken: the bound is the largest within value (of a similarity the smallest) of either regime. A
 * regime with a single seed has no within values; with none in either there is no floor.
 *
 * @param needs The reason for a NaN.
 */
export function seedFloor(
  withinFrom: readonly number[],
  withinTo: readonly number[],
  across: readonly number[],
  direction: Direction,
  needs: string,
): SeedFloor {
  const [from, to, between] = [withinFrom, withinTo, across].map((values) => sizes(values, direction)) as [
    readonly number[],
    readonly number[],
    readonly number[],
  ];
  const floors = { withinFrom: spread(from), withinTo: spread(to), across: spread(between) };
  const within = [...from, ...to];
  const nothing = { ...floors, shareOutside: null, verdict: 'not measured' } as const;
  if (within.length === 0) return { ...nothing, note: 'one training seed a regime' };
  if ([...within, ...between].some((value) => !Number.isFinite(value))) return { ...nothing, note: needs };
  const bound = direction === 'difference' ? Math.max(...within) : Math.min(...within);
  const shareOutside = shareBeyond(between, bound, direction);
  const verdict = shareOutside >= CHANGED_SHARE ? 'changed' : 'not distinguishable from training seeds';
  return { ...floors, shareOutside, verdict, note: '' };
}

function spread(values: readonly number[]): Spread | null {
  if (values.length === 0 || values.some((value) => !Number.isFinite(value))) return null;
  return [Math.min(...values), quantile(values, 0.5), Math.max(...values)];
}
