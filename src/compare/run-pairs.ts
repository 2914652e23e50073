import type { FoldSubsets } from './fold-subsets.js';
import { PairTally } from './tally.js';

/** Two runs (or one with itself) and the pairs of their fold subsets over which units are counted together. */
export class RunPair {
  /** Indices of runs, `a` ≤ `b`. */
  readonly a: number;
  readonly b: number;
  /** [pair of subsets]. */
  readonly subsets: readonly { readonly a: number; readonly b: number }[];
  /** [scope]. */
  readonly tallies: readonly PairTally[];
  readonly #leaveOneOut: number;
  readonly #crossed: number;
  readonly #halved: number;

  constructor(a: number, b: number, subsets: FoldSubsets, scopes: number, wanted: WantedSubsets) {
    const pairs: { readonly a: number; readonly b: number }[] = [{ a: subsets.full, b: subsets.full }];
    const add = (more: readonly { readonly a: number; readonly b: number }[]) =>
      pairs.push(...more) - more.length;
    this.a = a;
    this.b = b;
    this.#leaveOneOut = add(wanted.leaveOneOut ? subsets.leaveOneOut.map((s) => ({ a: s, b: s })) : []);
    this.#crossed = add(
      wanted.crossed
        ? subsets.halves.flatMap(({ first, second }) => [
            { a: first, b: second },
            { a: second, b: first },
          ])
        : [],
    );
    this.#halved = add(
      wanted.halved
        ? subsets.halves.flatMap(({ first, second }) => [
            { a: subsets.full, b: first },
            { a: subsets.full, b: second },
          ])
        : [],
    );
    this.subsets = pairs;
    this.tallies = Array.from({ length: scopes }, () => new PairTally(pairs.length));
  }

  /** Adds units; assignments are [scope][subset]. */
  add(a: readonly (readonly Int16Array[])[], b: readonly (readonly Int16Array[])[]): void {
    this.tallies.forEach((tally, scope) => {
      this.subsets.forEach((pair, i) => {
        tally.add(i, a[scope]![pair.a]!, b[scope]![pair.b]!);
      });
    });
  }

  /** Indices into `subsets`. */
  readonly full = 0;

  leaveOneOut(fold: number): number {
    return this.#leaveOneOut + fold;
  }

  /** `side` 0: the first half of `a` with the second of `b`; 1: the other way round. */
  crossed(split: number, side: 0 | 1): number {
    return this.#crossed + 2 * split + side;
  }

  /** All of `a` with a half of `b`. */
  halved(split: number, half: 0 | 1): number {
    return this.#halved + 2 * split + half;
  }
}

export interface WantedSubsets {
  readonly leaveOneOut: boolean;
  readonly crossed: boolean;
  readonly halved: boolean;
}

/**
 * Every pair of runs, each as far as it is asked about: compared runs (the first `main`) among each other with their
 * jackknife and floors, any run with the reference (index 0) for differences in differences, training seeds over all
 * folds.
 */
export class RunPairs {
  readonly #pairs = new Map<string, RunPair>();

  constructor(runs: number, main: number, subsets: FoldSubsets, scopes: number) {
    if (runs < 2) return;
    for (let a = 0; a < runs; a++) {
      for (let b = a; b < runs; b++) {
        if (a === b && a >= main) continue;
        const compared = b < main;
        const wanted = {
          leaveOneOut: a !== b && (compared || a === 0),
          crossed: compared,
          halved: a === 0 && b > 0 && main > 2,
        };
        this.#pairs.set(`${a} ${b}`, new RunPair(a, b, subsets, scopes, wanted));
      }
    }
  }

  /** In either order. */
  of(a: number, b: number): RunPair {
    return this.#pairs.get(`${Math.min(a, b)} ${Math.max(a, b)}`)!;
  }

  /** Adds units of all runs; assignments are [run][scope][subset]. */
  add(assignments: readonly (readonly (readonly Int16Array[])[])[]): void {
    for (const pair of this.#pairs.values()) pair.add(assignments[pair.a]!, assignments[pair.b]!);
  }
}
