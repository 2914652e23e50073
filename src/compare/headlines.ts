import type { UnitType } from '../scores/types.js';
import { jackknife } from '../stats/jackknife.js';
import type { FoldSubsets } from './fold-subsets.js';
import { MEASURES, type MeasureDefinition, type Pairing } from './measures.js';
import { noiseFloor } from './noise-floor.js';
import { finiteOrNull } from './numbers.js';
import { PairTally, type RunTally } from './tally.js';
import type { Estimate, Headline } from './types.js';

/** The halves of one run against each other: pair s is split s. */
export class WithinPairs {
  readonly tally: PairTally;

  constructor(subsets: FoldSubsets) {
    this.tally = new PairTally(subsets.halves.length);
  }

  /** Adds a layer. `assignments` is [subset]. */
  add(subsets: FoldSubsets, assignments: readonly Int16Array[]): void {
    subsets.halves.forEach(({ first, second }, split) => {
      this.tally.add(split, assignments[first]!, assignments[second]!);
    });
  }
}

/** One run against another: pair 0 all folds, then one pair a left-out fold, then two a split (A₁B₂ and A₂B₁). */
export class AcrossPairs {
  readonly pairs: readonly { readonly a: number; readonly b: number }[];
  readonly tally: PairTally;

  constructor(subsets: FoldSubsets) {
    this.pairs = [
      { a: subsets.full, b: subsets.full },
      ...subsets.leaveOneOut.map((subset) => ({ a: subset, b: subset })),
      ...subsets.halves.flatMap(({ first, second }) => [
        { a: first, b: second },
        { a: second, b: first },
      ]),
    ];
    this.tally = new PairTally(this.pairs.length);
  }

  add(a: readonly Int16Array[], b: readonly Int16Array[]): void {
    this.pairs.forEach((pair, i) => {
      this.tally.add(i, a[pair.a]!, b[pair.b]!);
    });
  }
}

/** One run as the headlines need it. */
export interface TalliedRun {
  readonly tally: RunTally;
  readonly within: WithinPairs;
}

/**
 * Every headline measure of `other` against `reference`: its change with the paired jackknife interval (the same fold
 * left out in both), and the noise floor at half size.
 *
 * @param unselected Why the reference selects no unit, null if it does: without a cut, that no unit passes it in the
 *   other run either says nothing.
 */
export function headlines(
  type: UnitType,
  label: string,
  reference: TalliedRun,
  other: TalliedRun,
  across: AcrossPairs,
  subsets: FoldSubsets,
  languages: number,
  unselected: string | null,
): Headline[] {
  return MEASURES.map((definition) => {
    const { measure, direction, of, between, needs, ofSelected } = definition;
    const pairing = (i: number): Pairing => ({
      a: { tally: reference.tally, subset: across.pairs[i]!.a },
      b: { tally: other.tally, subset: across.pairs[i]!.b },
      tally: across.tally,
      pair: i,
    });
    const all = pairing(0);
    const change = estimate(definition, pairing, subsets, languages);
    const reads = {
      type,
      measure,
      label,
      reference: of === null ? null : finiteOrNull(of(all.a)),
      other: of === null ? null : finiteOrNull(of(all.b)),
      change,
    };
    const impossible = ofSelected && unselected !== null;
    if (impossible || change.value === null) {
      return {
        ...reads,
        change: impossible ? { value: null, low: null, high: null } : change,
        withinReference: null,
        withinOther: null,
        across: null,
        shareOutside: null,
        verdict: 'not measured',
        note: impossible ? unselected : needs,
      };
    }
    const size = (p: Pairing) => (direction === 'difference' ? Math.abs(between(p)) : between(p));
    const within = (run: TalliedRun) =>
      subsets.halves.map(({ first, second }, split) =>
        size({
          a: { tally: run.tally, subset: first },
          b: { tally: run.tally, subset: second },
          tally: run.within.tally,
          pair: split,
        }),
      );
    const splitPairs = across.pairs.slice(1 + subsets.leaveOneOut.length);
    const offset = across.pairs.length - splitPairs.length;
    return {
      ...reads,
      ...noiseFloor(
        within(reference),
        within(other),
        splitPairs.map((_, i) => size(pairing(offset + i))),
        direction,
      ),
    };
  });
}

function estimate(
  { between, range }: MeasureDefinition,
  pairing: (pair: number) => Pairing,
  { leaveOneOut }: FoldSubsets,
  languages: number,
): Estimate {
  const [min, max] = range(languages);
  const value = between(pairing(0));
  const replicates = leaveOneOut.map((_, i) => between(pairing(1 + i)));
  const { low, high } = jackknife(value, replicates, { min, max });
  return { value: finiteOrNull(value), low: finiteOrNull(low), high: finiteOrNull(high) };
}
