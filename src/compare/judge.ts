import { jackknife } from '../stats/index.js';
import { type Direction, noiseFloor } from './noise-floor.js';
import { finiteOrNull } from './numbers.js';
import type { Estimate, SamplingFloor } from './types.js';

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
  readonly change: Estimate;
  readonly floor: SamplingFloor;
}

/** The value with its jackknife interval, clipped to `range`, and its noise floor; `needs` says what a NaN lacks. */
export function judge(
  { value, leaveOneOut, withinFrom, withinTo, across }: Replicates,
  direction: Direction,
  [min, max]: readonly [number, number],
  needs: string,
): Judged {
  const change = estimate(value, leaveOneOut, [min, max]);
  if (change.value === null) return notMeasured(needs);
  const size = (values: readonly number[]) => (direction === 'difference' ? values.map(Math.abs) : values);
  return { change, floor: noiseFloor(size(withinFrom), size(withinTo), size(across), direction) };
}

export function notMeasured(note: string): Judged {
  return {
    change: { value: null, low: null, high: null },
    floor: {
      withinFrom: null,
      withinTo: null,
      across: null,
      shareOutside: null,
      verdict: 'not measured',
      note,
    },
  };
}

/** A value with its delete-one-fold jackknife interval. */
export function estimate(
  value: number,
  leaveOneOut: readonly number[],
  [min, max]: readonly [number, number],
): Estimate {
  const { low, high } = jackknife(value, leaveOneOut, { min, max });
  return { value: finiteOrNull(value), low: finiteOrNull(low), high: finiteOrNull(high) };
}
