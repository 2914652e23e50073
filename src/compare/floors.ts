import { quantile } from '../stats/index.js';
import type { SamplingFloor, SeedFloor, Spread } from './comparison.js';
import type { Direction } from './quantities/quantity.js';

/** Share of across values that must lie beyond the within bound for a change to be called one (docs/comparing.md). */
const CHANGED_SHARE = 0.95;
/** Tail of the within distributions that still counts as sampling. */
const WITHIN_TAIL = 0.05;

/** A number between two runs, over the halves that its floor is made from. NaN: cannot be computed. */
export interface FloorReplicates {
  /** Between the random halves of one run, a value a split. */
  readonly withinFrom: readonly number[];
  readonly withinTo: readonly number[];
  /** Between a half of one run and the other half of the other, two values a split. */
  readonly across: readonly number[];
}

/** The sampling floor of a number, signed differences by their size. */
export function floorOf(
  { withinFrom, withinTo, across }: FloorReplicates,
  direction: Direction,
): SamplingFloor {
  return samplingFloor(...sizes(direction, withinFrom, withinTo, across), direction);
}

/** No floor, and the reason. */
export function noFloor(note: string): SamplingFloor {
  const nothing = { withinFrom: null, withinTo: null, across: null, shareOutside: null };
  return { ...nothing, verdict: 'not measured', note };
}

/**
 * Sets a number between two runs beside what sampling alone does to it.
 *
 * The inputs are the number over random halves of the folds: `withinFrom` M(A₁, A₂) and `withinTo` M(B₁, B₂),
 * one value a split; `across` M(A₁, B₂) and M(A₂, B₁), two values a split, so that exchanging the names of the halves, or
 * the runs, changes nothing. The within bound is the 95th percentile (R-7) of a `difference` (the 5th of a
 * `similarity`) within each run, and of the two runs' bounds the more lenient: the larger (smaller).
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
  const floors = spreads(withinFrom, withinTo, across, WITHIN_TAIL);
  if (Object.values(floors).includes(null)) {
    const note = [
      missing('within the first run', withinFrom),
      missing('within the second run', withinTo),
      missing('across the runs', across),
    ]
      .filter((part) => part !== '')
      .join('; ');
    return { ...floors, shareOutside: null, verdict: 'not measured', note };
  }
  return { ...floors, ...verdictBeside(floors, across, direction, 'not distinguishable from sampling') };
}

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
): Omit<SeedFloor, 'test'> {
  const [from, to, between] = sizes(direction, withinFrom, withinTo, across);
  const floors = spreads(from, to, between, 0);
  const nothing = { ...floors, shareOutside: null, verdict: 'not measured' } as const;
  const within = [...from, ...to];
  if (within.length === 0) return { ...nothing, note: 'one training seed a regime' };
  if (![...within, ...between].every(Number.isFinite)) return { ...nothing, note: needs };
  return {
    ...floors,
    ...verdictBeside(floors, between, direction, 'not distinguishable from training seeds'),
  };
}

/**
 * The verdict on a number, from its distributions within each side and its values across. An across value is outside if it
 * lies strictly beyond the more lenient of the bounds within, so ties never make a change. The verdict is `changed` iff at
 * least 95 % of the across values are outside.
 */
function verdictBeside<Otherwise extends string>(
  { withinFrom, withinTo }: ReturnType<typeof spreads>,
  across: readonly number[],
  direction: Direction,
  otherwise: Otherwise,
) {
  const within = [withinFrom, withinTo].filter((own) => own !== null);
  const bound =
    direction === 'difference'
      ? Math.max(...within.map(([, , high]) => high))
      : Math.min(...within.map(([low]) => low));
  const beyond = across.filter((value) => (direction === 'difference' ? value > bound : value < bound));
  const shareOutside = beyond.length / across.length;
  const verdict = shareOutside >= CHANGED_SHARE ? ('changed' as const) : otherwise;
  return { shareOutside, verdict, note: '' };
}

/** Signed differences as absolute values; similarities as they are. */
function sizes(direction: Direction, ...lists: readonly [Values, Values, Values]): [Values, Values, Values] {
  const [a, b, c] = lists.map((values) => (direction === 'difference' ? values.map(Math.abs) : values));
  return [a!, b!, c!];
}

type Values = readonly number[];

/** Each distribution at `tail`, in the middle and at 1 − `tail`; null of none, or if a value is not finite. */
function spreads(withinFrom: Values, withinTo: Values, across: Values, tail: number) {
  const spread = (values: Values): Spread | null =>
    values.length === 0 || !values.every(Number.isFinite)
      ? null
      : [quantile(values, tail), quantile(values, 0.5), quantile(values, 1 - tail)];
  return { withinFrom: spread(withinFrom), withinTo: spread(withinTo), across: spread(across) };
}

function missing(where: string, values: Values): string {
  const lost = values.filter((value) => !Number.isFinite(value)).length;
  if (values.length === 0) return `no split halves ${where}`;
  return lost === 0 ? '' : `cannot be computed in ${lost} of ${values.length} split halves ${where}`;
}
