import type { Random } from '../src/stats/index.js';

/** One try went wrong. */
export interface Fault {
  /** What makes the same try again. */
  readonly seed: number;
  /** What was expected and what came, in a line or more. */
  readonly problem: string;
  /** Wrong results without a word; otherwise it was noticed, but not as it should be. */
  readonly silent: boolean;
}

/** What came of all tries of a kind. */
export interface Tally {
  readonly tried: number;
  readonly faults: readonly Fault[];
  /** Why nothing was tried, or what was left out. */
  readonly left?: string;
  /** What was measured, for the line below the table. */
  readonly measured?: string;
}

export interface Request {
  readonly firstSeed: number;
  readonly tries: number;
  /** An empty folder for the trial. */
  readonly folder: string;
  /** Called after each try. */
  readonly onProgress: (done: number, of: number) => void;
}

/** A kind of mishap. */
export interface Trial {
  readonly name: string;
  /** What is done, and what must come of it. */
  readonly about: string;
  readonly tries: { readonly quick: number; readonly whole: number };
  readonly run: (request: Request) => Promise<Tally>;
}

/** A fault, as a try throws it. */
export class Failed extends Error {
  readonly silent: boolean;

  constructor(problem: string, silent = false) {
    super(problem);
    this.silent = silent;
  }
}

/** Tries one seed after the other; what a try throws is its fault. */
export async function eachSeed(
  { firstSeed, tries, onProgress }: Request,
  attempt: (random: Random, seed: number) => Promise<void>,
): Promise<Tally> {
  const { Random } = await import('../src/stats/index.js');
  const faults: Fault[] = [];
  for (let seed = firstSeed; seed < firstSeed + tries; seed++) {
    try {
      await attempt(new Random(seed), seed);
    } catch (error) {
      const problem = error instanceof Failed ? error.message : String((error as Error)?.stack ?? error);
      faults.push({ seed, problem, silent: error instanceof Failed && error.silent });
    }
    onProgress(seed - firstSeed + 1, tries);
  }
  return { tried: tries, faults };
}
