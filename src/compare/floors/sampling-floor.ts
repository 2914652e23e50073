import { jackknife, quantile } from '../../stats/index.js';
import type { Estimate, SamplingFloor } from '../comparison.js';
import { finiteOrNull } from '../numbers.js';
import type { Direction, Range } from '../quantities/quantity.js';

/** Share of across values that must lie beyond the within bound for a change to be called one (docs/comparing.md). */
export const CHANGED_SHARE = 0.95;
/** Tail of the within distributions that still counts as sampling. */
const WITHIN_TAIL = 0.05;

/** A number between two runs, over all folds and over everything its uncertainty is made from. NaN: cannot be computed. */
export interface Replicates {
  readonly value: number;
  /** With each fold left out. */
  readonly leaveOneOut: readonly number[];
  /** Between the random halves of one run, a value a split. */
  readonly withinFrom: readonly number[];
  readonly withinTo: readonly number[];
  /** Between a half of one run and the other half of the other, two values a split. */
  readonly across: readonly number[];
}

export interface Judged {
  readonly estimate: Estimate;
  readonly floor: SamplingFloor;
}

/** The value with its jackknife interval, clipped to `range`, and its sampling floor; `needs` is the reason for a NaN. */
export function judge(
  { value, leaveOneOut, withinFrom, withinTo, across }: Replicates,
  direction: Direction,
  range: Range,
  needs: string,
): Judged {
  const estimated = estimate(value, leaveOneOut, range);
  if (estimated.value === null) return notMeasured(needs);
  return {
    estimate: estimated,
    floor: samplingFloor(
      sizes(withinFrom, direction),
      sizes(withinTo, direction),
      sizes(across, direction),
      direction,
    ),
  };
}

export function notMeasured(note: string): Judged {
  const nothing = { withinFrom: null, withinTo: null, across: null, shareOutside: null };
  return {
    estimate: { value: null, low: null, high: null },
    floor: { ...nothing, verdict: 'not measured', note },
  };
}

/** A value with its delete-one-fold jackknife interval. */
export function estimate(value: number, leaveOneOut: readonly number[], [min, max]: Range): Estimate {
  const { low, high } = jackknife(value, leaveOneOut, { min, max });
  return { value: finiteOrNull(value), low: finiteOrNull(low), high: finiteOrNull(high) };
}

/** Signed differences as absolute values; similarities as they are. */
export function sizes(values: readonly number[], direction: Direction): readonly number[] {
  return direction === 'difference' ? values.map(Math.abs) : values;
}

/**
 * Sets a number between two runs beside what sampling alone does to it.
 *
 * The inputs are the number over random halves of the folds: `withinFrom` M(A₁, A₂) and `withinTo` M(B₁, B₂),
 * one value a split; `across` M(A₁, B₂) and M(A₂, B₁), two values a split, so that exchanging the names of the halves, or
 * the runs, changes nothing. The within bound is the 95th percentile (R-7) of a `difference` (the 5th of a
 * `similarity`) within each run, and of the two runs' bounds the more lenient: the larger (smaller). An across value is
 * outside if it lies strictly beyond that bound, so ties never make a change. The verdict is `changed` iff at least
 * 95 % of the across values are outside.
 *
 * A value that cannot be computed (NaN) in any half leaves the number `not measured`: a floor from the splits that
 * happened to work would be a floor of something else.
 */
export function samplingFloor(
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
  const shareOutside = shareBeyond(across, bound, direction);
  const verdict = shareOutside >= CHANGED_SHARE ? 'changed' : 'not distinguishable from sampling';
  return { ...floors, shareOutside, verdict, note: '' };
}

/** Share of values that lie strictly beyond a bound: above it, or for similarities below it. */
export function shareBeyond(values: readonly number[], bound: number, direction: Direction): number {
  const beyond = values.filter((value) => (direction === 'difference' ? value > bound : value < bound));
  return beyond.length / values.length;
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
