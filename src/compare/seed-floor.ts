import { quantile } from '../stats/index.js';
import { CHANGED_SHARE, type Direction } from './noise-floor.js';
import type { SeedFloor, Spread } from './types.js';

/**
 * Sets a number between two regimes beside what another training seed alone does to it, as `noiseFloor` does with
 * halves of the data: `withinFrom` and `withinTo` are the number between two seeds of one regime, over all pairs,
 * `across` between a seed of one and a seed of the other, over all pairs, everything at full size. With so few values
 * no percentile is taken: the bound is the largest within value (of a similarity the smallest) of either regime. A
 * regime with a single seed has no within values; with none in either there is no floor.
 *
 * @param needs Why the number itself cannot be computed; it is asked for only where a value is NaN.
 */
export function seedFloor(
  withinFrom: readonly number[],
  withinTo: readonly number[],
  across: readonly number[],
  direction: Direction,
  needs: string,
): SeedFloor {
  const size = (values: readonly number[]) => (direction === 'difference' ? values.map(Math.abs) : values);
  const [from, to, between] = [size(withinFrom), size(withinTo), size(across)];
  const floors = { withinFrom: spread(from), withinTo: spread(to), across: spread(between) };
  const within = [...from, ...to];
  const nothing = { ...floors, shareOutside: null, verdict: 'not measured' } as const;
  if (within.length === 0) return { ...nothing, note: 'one training seed a regime' };
  if ([...within, ...between].some((value) => !Number.isFinite(value))) return { ...nothing, note: needs };
  const bound = direction === 'difference' ? Math.max(...within) : Math.min(...within);
  const outside = between.filter((value) => (direction === 'difference' ? value > bound : value < bound));
  const shareOutside = outside.length / between.length;
  const verdict = shareOutside >= CHANGED_SHARE ? 'changed' : 'not distinguishable from training seeds';
  return { ...floors, shareOutside, verdict, note: '' };
}

function spread(values: readonly number[]): Spread | null {
  if (values.length === 0 || values.some((value) => !Number.isFinite(value))) return null;
  return [Math.min(...values), quantile(values, 0.5), Math.max(...values)];
}
