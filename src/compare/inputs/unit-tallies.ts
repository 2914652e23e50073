import type { UnitType } from '../../store/index.js';
import type { Scope } from './layer-scores.js';
import type { RunPairs } from './run-pairs.js';
import type { LanguageCounts, RunTally } from './tally.js';
import type { TopHeads } from './top-heads.js';

/** The counts of one unit type, once the layers of all runs have passed by. Runs are the compared ones, then training seeds. */
export interface UnitTallies {
  readonly type: UnitType;
  readonly layers: number;
  /** Tags of the languages. */
  readonly tags: readonly string[];
  /** The first is of all languages. */
  readonly scopes: readonly Scope[];
  /** [run][scope]. */
  readonly runs: readonly (readonly RunTally[])[];
  /** [run]: selected units of each language. */
  readonly counts: readonly LanguageCounts[];
  /** [run]; empty unless the units are heads. */
  readonly topHeads: readonly TopHeads[];
  readonly pairs: RunPairs;
  /**
   * The reason why the reference selects no unit; null if it does. Without a cut it says nothing that no unit passes it
   * in another run either.
   */
  readonly unselected: string | null;
}
