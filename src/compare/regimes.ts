import type { RunSource } from './run-source.js';

/** A run to compare, and others that differ from it by their training seed alone. */
export interface Regime {
  readonly run: RunSource;
  readonly seeds: readonly RunSource[];
}

export interface RegimeRuns {
  /** The compared runs, then the further training seeds of any. */
  readonly runs: readonly RunSource[];
  /** [compared run]: indices of its training seeds in `runs`, itself first. */
  readonly ofRegime: readonly (readonly number[])[];
}

/** Runs and seeds in one list. */
export function runsOf(regimes: readonly Regime[]): RegimeRuns {
  const runs = regimes.map(({ run }) => run);
  const ofRegime = regimes.map(({ seeds }, regime) => [regime, ...seeds.map((seed) => runs.push(seed) - 1)]);
  return { runs, ofRegime };
}
