import { quantile } from '../stats/index.js';
import type { SamplingFloor } from './types.js';

/** Share of across values that must lie beyond the within bound for a change to be called one (SCORES.md). */
export const CHANGED_SHARE = 0.95;
/** Tail of the within distributions that still counts as sampling. */
const WITHIN_TAIL = 0.05;

/**
 * Which way a measure moves when runs differ more: a `difference` grows (signed differences enter as absolute
 * values), a `similarity` shrinks.
 */
export type Direction = 'difference' | 'similarity';

/**
 * Sets a measure between two runs beside what sampling alone does to it.
 *
 * The inputs are the measure over random halves of the folds: `withinFrom` M(A₁, A₂) and `withinTo` M(B₁, B₂),
 * one value a split; `across` M(A₁, B₂) and M(A₂, B₁), two values a split, so that exchanging the names of the halves, or
 * the runs, changes nothing. The within bound is the 95th percentile (R-7) of a `difference` (the 5th of a
 * `similarity`) within each run, and of the two runs' bounds the more lenient: the larger (smaller). An across value is
 * outside if it lies strictly beyond that bound, so ties never make a change. The verdict is `changed` iff at least
 * 95 % of the across values are outside.
 *
 * A value that cannot be computed (NaN) in any half leaves the measure `not measured`: a floor from the splits that
 * happened to work would be a floor of something else.
 */
export function noiseFloor(
  withinFrom: readonly number[],
  withinTo: readonly number[],
  across: readonly number[],
  direction: Direction,
): SamplingFloor {
  const a = quantiles(withinFrom);
  const b = quantiles(withinTo);
  const x = quantiles(across);
  const floors = { withinFrom: a, withinTo: b, across: x };
  if (a === null || b === null || x === null) {
    const note = [
      missing('within the first run', withinFrom),
      missing('within the second run', withinTo),
      missing('across the runs', across),
    ]
      .filter((part) => part !== '')
      .join('; ');
    return { ...floors, shareOutside: null, verdict: 'not measured', note };
  }
  const bound = direction === 'difference' ? Math.max(a[2], b[2]) : Math.min(a[0], b[0]);
  let outside = 0;
  for (const value of across) {
    if (direction === 'difference' ? value > bound : value < bound) outside++;
  }
  const shareOutside = outside / across.length;
  const verdict = shareOutside >= CHANGED_SHARE ? 'changed' : 'not distinguishable from sampling';
  return { ...floors, shareOutside, verdict, note: '' };
}

function missing(where: string, values: readonly number[]): string {
  const lost = values.filter((value) => !Number.isFinite(value)).length;
  if (values.length === 0) return `no split halves ${where}`;
  return lost === 0 ? '' : `cannot be computed in ${lost} of ${values.length} split halves ${where}`;
}

function quantiles(values: readonly number[]): [number, number, number] | null {
  if (values.length === 0 || values.some((value) => !Number.isFinite(value))) return null;
  return [quantile(values, WITHIN_TAIL), quantile(values, 0.5), quantile(values, 1 - WITHIN_TAIL)];
}
