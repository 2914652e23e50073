import type { UnitType } from '../store/index.js';
import type { FoldSubsets } from './fold-subsets.js';
import type { Scope } from './layer-scores.js';
import type { MeasureDefinition, Pairing, Side } from './measures.js';
import type { RunPair, RunPairs } from './run-pairs.js';
import type { RunTally } from './tally.js';

/** What the numbers of one unit type are computed from, once the layers of all runs have passed by. */
export interface Tallies {
  readonly type: UnitType;
  /** Of the compared runs; the first is the reference. */
  readonly labels: readonly string[];
  /** [run][scope]: the compared runs, then the further training seeds of any. */
  readonly runs: readonly (readonly RunTally[])[];
  /** [compared run]: indices of its training seeds in `runs`, itself first. */
  readonly regimes: readonly (readonly number[])[];
  readonly pairs: RunPairs;
  readonly subsets: FoldSubsets;
  readonly scopes: readonly Scope[];
  /**
   * Why the reference selects no unit, null if it does: without a cut, that no unit passes it in another run either
   * says nothing.
   */
  readonly unselected: string | null;
}

/** A run over a subset of the folds. */
export function sideOf({ runs }: Tallies, scope: number, run: number, subset: number): Side {
  return { tally: runs[run]![scope]!, subset };
}

/** A pair of runs over a pair of subsets: `pair` indexes `RunPair.subsets`. */
export function pairingOf(tallies: Tallies, scope: number, runs: RunPair, pair: number): Pairing {
  const { a, b } = runs.subsets[pair]!;
  return {
    a: sideOf(tallies, scope, runs.a, a),
    b: sideOf(tallies, scope, runs.b, b),
    tally: runs.tallies[scope]!,
    pair,
  };
}

/** Why a measure cannot be given in a scope, whatever the numbers; null if it can. */
export function impossible(
  { unselected, scopes }: Tallies,
  scope: number,
  { ofSelected, amongLanguages }: MeasureDefinition,
): string | null {
  if (ofSelected && unselected !== null) return unselected;
  if (amongLanguages && scopes[scope]!.languages.length < 2)
    return 'one language has no difference between languages';
  return null;
}
