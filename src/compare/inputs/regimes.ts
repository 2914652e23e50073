import { RunError, UsageError } from '../../errors.js';
import { RunSource } from './run-source.js';

export interface RunToCompare {
  /** The folder of a captured or imported run. */
  readonly folder: string;
  /** The run's name in figures and tables. Default: the name of its model. */
  readonly label?: string | undefined;
  /** Captured runs of other training seeds of the same regime: they make its seed floor. */
  readonly seeds?: readonly string[] | undefined;
  /** Training step, for a trajectory. Default: from the label (`base@step1000`). */
  readonly step?: number | undefined;
}

/** A run to compare, and others that differ from it by their training seed alone. */
export interface Regime {
  readonly run: RunSource;
  readonly seeds: readonly RunSource[];
}

/** The compared runs, then the further training seeds of any; and, [compared run], indices of its seeds, itself first. */
export function runsOf(regimes: readonly Regime[]) {
  const runs = regimes.map(({ run }) => run);
  const ofRegime = regimes.map(({ seeds }, regime) => [regime, ...seeds.map((seed) => runs.push(seed) - 1)]);
  return { runs, ofRegime };
}

/**
 * Opens the runs and their further training seeds, the reference first.
 *
 * @throws UsageError without runs, with a label twice, or if the reference is none of them; RunError if a run is
 *   unreadable, or two training seeds of one regime have the same weights.
 */
export async function openRegimes(
  runs: readonly RunToCompare[],
  reference: string | undefined,
): Promise<Regime[]> {
  if (runs.length === 0) {
    throw new UsageError({
      what: 'there is no run to compare',
      remedy: 'Give the folder of one run or more.',
    });
  }
  const regimes: Regime[] = [];
  const labels = runs.flatMap(({ label }) => label ?? []);
  const twice = labels.find((label, i) => labels.indexOf(label) !== i);
  if (twice !== undefined) {
    throw new UsageError({
      what: 'two runs have the same label',
      where: '--labels',
      expected: 'a name for each run',
      found: twice,
      remedy: 'give each run a label of its own',
    });
  }
  const used = new Set(labels);
  for (const { folder, label, seeds = [] } of runs) {
    const source = await RunSource.open(folder);
    let name = label;
    if (name === undefined) {
      // Checkpoints of one training run often share a folder name.
      name = source.label;
      for (let n = 2; used.has(name); n++) name = `${source.label} (${n})`;
      used.add(name);
    }
    const run = source.labelled(name);
    const others: RunSource[] = [];
    for (const [i, seed] of seeds.entries()) {
      others.push((await RunSource.open(seed)).labelled(`${name}, seed ${i + 2}`));
    }
    assertDifferentWeights([run, ...others]);
    regimes.push({ run, seeds: others });
  }
  if (reference === undefined) return regimes;
  const first = regimes.find(({ run }) => run.label === reference);
  if (first === undefined) {
    throw new UsageError({
      what: 'the reference is none of the runs',
      where: '--reference',
      expected: regimes.map(({ run }) => run.label).join(', '),
      found: reference,
      remedy: 'name one of them',
    });
  }
  return [first, ...regimes.filter((regime) => regime !== first)];
}

/** A checkpoint given twice would be a seed floor of zero. */
function assertDifferentWeights(seeds: readonly RunSource[]): void {
  const first = new Map<string, RunSource>();
  for (const seed of seeds) {
    const { weightsSha256 } = seed.manifest.model;
    if (weightsSha256 === null) continue;
    const twin = first.get(weightsSha256);
    if (twin !== undefined) {
      throw new RunError({
        what: 'two training seeds of one regime have the same weights',
        where: `${twin.folder}, ${seed.folder}`,
        expected: 'a checkpoint of its own for each seed',
        found: `weights ${weightsSha256.slice(0, 12)}… twice`,
        remedy: 'Capture the checkpoint of each training seed.',
      });
    }
    first.set(weightsSha256, seed);
  }
}
