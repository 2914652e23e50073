import type { FoldSubsets } from './fold-subsets.js';
import { judge, notMeasured } from './judge.js';
import { type MeasureDefinition, measuresOf } from './measures.js';
import { finiteOrNull } from './numbers.js';
import { seedFloor } from './seed-floor.js';
import { impossible, pairingOf, type Tallies } from './tallies.js';
import type { Contrast, DifferenceInDifferences } from './types.js';

/** Differences in differences of every headline measure, over all languages and over each group. */
export function contrasts(
  tallies: Tallies,
  wanted: readonly { readonly from: number; readonly to: number }[],
): Contrast[] {
  const { type, labels, scopes, regimes, subsets } = tallies;
  return wanted.flatMap(({ from, to }) =>
    scopes.flatMap(({ group, languages }, scope) =>
      measuresOf(type).map((definition): Contrast => {
        const { measure, needs, range } = definition;
        return {
          type,
          measure,
          group,
          reference: labels[0]!,
          from: labels[from]!,
          to: labels[to]!,
          ...differenceInDifferences({
            from: regimes[from]!,
            to: regimes[to]!,
            change: (run, over) => changeOf(tallies, scope, run, definition, over),
            subsets,
            range: range(languages.length),
            needs,
            impossible: impossible(tallies, scope, definition),
          }),
        };
      }),
    ),
  );
}

/** Two regimes, and how far their runs are from the reference. */
export interface RegimeChanges {
  /** Training seeds of each regime, the compared run first. */
  readonly from: readonly number[];
  readonly to: readonly number[];
  /** T(run), the change against the reference. */
  readonly change: (run: number, over: Subsets) => number;
  readonly subsets: FoldSubsets;
  /** Of a change. */
  readonly range: readonly [number, number];
  /** What a change lacks that is NaN. */
  readonly needs: string;
  /** Why there can be no change, whatever the numbers; null if there can. */
  readonly impossible: string | null;
}

/** All folds, all but one, or one half of the run's folds beside all of the reference's. */
export type Subsets =
  | 'full'
  | { readonly without: number }
  | { readonly split: number; readonly half: 0 | 1 };

/**
 * T(to) − T(from) for a measure M, where T(X) = M(reference → X) is the change against the reference (for a measure that
 * exists only between runs, the measure itself), averaged over the training seeds of X. Its jackknife leaves the same
 * fold out of all runs.
 *
 * Sampling floor: within a regime T₁(X) − T₂(X), where T_h has half h of X's folds and all of the reference's; across
 * T₁(to) − T₂(from) and T₂(to) − T₁(from). With the same half of both, sampling would cancel in T itself, and a copy that
 * differs by rounding alone would stand out. Seed floor, at full size: T(s) − T(s') for seeds s, s' of one regime; across
 * T(t) − T(s) for all seeds of both.
 */
export function differenceInDifferences(
  changes: RegimeChanges,
): Omit<DifferenceInDifferences, 'reference' | 'from' | 'to'> {
  const { from, to, change, needs, impossible: why } = changes;
  const { change: difference, floor } = why === null ? judgeRegimes(changes) : notMeasured(why);
  const ofSeeds = (regime: readonly number[]) =>
    regime.map((run) => (why === null ? change(run, 'full') : Number.NaN));
  const [changesFrom, changesTo] = [ofSeeds(from), ofSeeds(to)];
  return {
    changesFrom: changesFrom.map(finiteOrNull),
    changesTo: changesTo.map(finiteOrNull),
    difference,
    ...floor,
    seeds: seedFloor(
      differencesWithin(changesFrom),
      differencesWithin(changesTo),
      changesFrom.flatMap((a) => changesTo.map((b) => b - a)),
      'difference',
      why ?? needs,
    ),
  };
}

function judgeRegimes({ from, to, change, subsets, range: [low, high], needs }: RegimeChanges) {
  const mean = (regime: readonly number[], over: Subsets) =>
    regime.reduce((sum, run) => sum + change(run, over), 0) / regime.length;
  const difference = (over: Subsets) => mean(to, over) - mean(from, over);
  const within = (regime: readonly number[]) =>
    subsets.halves.map((_, split) => mean(regime, { split, half: 0 }) - mean(regime, { split, half: 1 }));
  return judge(
    {
      value: difference('full'),
      leaveOneOut: subsets.leaveOneOut.map((_, fold) => difference({ without: fold })),
      withinFrom: within(from),
      withinTo: within(to),
      across: subsets.halves.flatMap((_, split) => [
        mean(to, { split, half: 0 }) - mean(from, { split, half: 1 }),
        mean(to, { split, half: 1 }) - mean(from, { split, half: 0 }),
      ]),
    },
    'difference',
    [low - high, high - low],
    needs,
  );
}

/** T(run) over the given folds of the reference and the run. */
function changeOf(
  tallies: Tallies,
  scope: number,
  run: number,
  { between }: MeasureDefinition,
  over: Subsets,
): number {
  const runs = tallies.pairs.of(0, run);
  const pair =
    over === 'full'
      ? runs.full
      : 'without' in over
        ? runs.leaveOneOut(over.without)
        : runs.halved(over.split, over.half);
  return between(pairingOf(tallies, scope, runs, pair));
}

/** Between every two. */
export function differencesWithin(values: readonly number[]): number[] {
  return values.flatMap((a, i) => values.slice(i + 1).map((b) => b - a));
}
