import type { Side } from '../quantities/quantity.js';
import type { FoldSubsets } from './fold-subsets.js';
import { PairTally } from './tally.js';

/** Two runs, or one with itself, and the pairs of their fold subsets over which units are counted together. */
interface RunPair {
  /** Indices of runs, `a` ≤ `b`. */
  readonly a: number;
  readonly b: number;
  readonly subsets: readonly { readonly a: number; readonly b: number }[];
  /** Index in `subsets` by `subset of a, subset of b`. */
  readonly indexOf: ReadonlyMap<string, number>;
  /** [scope]. */
  readonly tallies: readonly PairTally[];
}

/**
 * Units that two runs select together, for every pair of runs as far as it is asked about: compared runs (the first
 * `main`) among each other with their jackknife and floors, any run with the reference (index 0) for differences in
 * differences, training seeds over all folds.
 */
export class RunPairs {
  readonly #pairs = new Map<string, RunPair>();

  constructor(runs: number, main: number, subsets: FoldSubsets, scopes: number) {
    // One run alone is compared with itself where there are halves of it.
    if (runs < 2 && subsets.halves.length === 0) return;
    const { full, leaveOneOut, halves } = subsets;
    const crossed = halves.flatMap(({ first, second }) => [
      { a: first, b: second },
      { a: second, b: first },
    ]);
    const same = [...leaveOneOut, ...halves.flatMap(({ first, second }) => [first, second])].map((s) => ({
      a: s,
      b: s,
    }));
    const halved = halves.flatMap(({ first, second }) => [
      { a: full, b: first },
      { a: full, b: second },
    ]);
    for (let a = 0; a < runs; a++) {
      for (let b = a; b < runs; b++) {
        if (a === b && a >= main) continue;
        const isCompared = b < main;
        const wanted = [
          { a: full, b: full },
          ...(a !== b && (isCompared || a === 0) ? same : []),
          ...(isCompared ? crossed : []),
          ...(a === 0 && b > 0 && main > 2 ? halved : []),
        ];
        this.#pairs.set(`${a} ${b}`, {
          a,
          b,
          subsets: wanted,
          indexOf: new Map(wanted.map((pair, i) => [`${pair.a} ${pair.b}`, i])),
          tallies: Array.from({ length: scopes }, () => new PairTally(wanted.length)),
        });
      }
    }
  }

  /** The tally of two sides, in either order, and where in it their pair of subsets stands. */
  at(scope: number, a: Side, b: Side): { readonly tally: PairTally; readonly pair: number } {
    const [first, second] = a.run <= b.run ? [a, b] : [b, a];
    const runs = this.#pairs.get(`${first.run} ${second.run}`);
    const pair = runs?.indexOf.get(`${first.subset} ${second.subset}`);
    if (runs === undefined || pair === undefined) {
      throw new Error(`runs ${a.run} and ${b.run} were not counted over subsets ${a.subset} and ${b.subset}`);
    }
    return { tally: runs.tallies[scope]!, pair };
  }

  /** Adds units of all runs; assignments are [run][scope][subset]. */
  add(assignments: readonly (readonly (readonly Int16Array[])[])[]): void {
    for (const { a, b, subsets, tallies } of this.#pairs.values()) {
      for (const [scope, tally] of tallies.entries()) {
        for (const [i, pair] of subsets.entries())
          tally.add(i, assignments[a]![scope]![pair.a]!, assignments[b]![scope]![pair.b]!);
      }
    }
  }
}
