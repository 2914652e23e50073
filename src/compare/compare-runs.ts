import { InterruptedError, UsageError } from '../errors.js';
import { liveFolds } from '../scores/fold-sums.js';
import { VERSION } from '../version.js';
import { foldSubsets } from './fold-subsets.js';
import { assertComparable, assertSameTokens } from './match.js';
import { reliabilityOf } from './reliability.js';
import { RunSource } from './run-source.js';
import { COMPARISON_SCHEMA_VERSION, type ComparedRun } from './types.js';
import { type ComparisonWithChanges, unitChanges } from './unit-changes.js';
import { compareUnits } from './unit-comparison.js';

export interface RunToCompare {
  /** A captured run. */
  readonly folder: string;
  /** What figures and tables call it. Default: the name of its model. */
  readonly label?: string | undefined;
}

export interface CompareOptions {
  /** Of the random halves; default 0. */
  readonly seed?: number | undefined;
  /** Random halvings of the folds for the noise floor; default 50 (SCORES.md). */
  readonly splits?: number | undefined;
  /** Share of units that the reference run selects; default 0.01 (Tang et al., ACL 2024). */
  readonly fraction?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called after each layer of each run. */
  readonly onProgress?: ((progress: CompareProgress) => void) | undefined;
}

export interface CompareProgress {
  /** Layers done, over runs and unit types, and how many there will be. */
  readonly done: number;
  readonly total: number;
}

const SPLITS = 50;

/**
 * Describes runs and compares each with the first, the reference: profiles under the `reference` policy, reallocation,
 * headline measures with paired jackknife intervals and noise floors, head maps, reliability. A single run is
 * described alone, without headlines.
 *
 * Everything comes from sums that add over folds, layer by layer: memory does not grow with the number of layers, but
 * for the reference's rates (8 bytes a unit and language) and the unit table.
 *
 * @returns the comparison; its unit table is under the symbol `unitChanges`, which `writeComparison` stores beside it.
 * @throws RunError if a run is unreadable or does not match the reference (field, both values, remedy);
 *   UsageError without runs, with a label twice, or with fewer than two folds to split;
 *   InterruptedError when `signal` aborts.
 */
export async function compareRuns(
  runs: readonly RunToCompare[],
  { seed = 0, splits = SPLITS, fraction, signal, onProgress }: CompareOptions = {},
): Promise<ComparisonWithChanges> {
  const sources = await openAll(runs);
  const reference = sources[0]!;
  const { manifest } = reference;
  const tags = manifest.plan.languages;
  const warnings = [
    ...sources.flatMap(({ label, manifest: { warnings: own } }) => own.map((text) => `${label}: ${text}`)),
    ...assertComparable(sources),
  ];
  for (const other of sources.slice(1)) assertSameTokens(reference, other, tags);

  const live = liveFolds(reference.tokens, { folds: manifest.plan.folds, languages: tags.length, units: 0 });
  const subsets = foldSubsets(live, sources.length > 1 ? splits : 0, seed);
  const types = reference.types.filter((type) => sources.every((source) => source.types.includes(type)));
  const total = types.length * sources.length * manifest.shape.layers;
  let done = 0;
  const onLayer = async (): Promise<void> => {
    onProgress?.({ done: ++done, total });
    // Let signals and timers in: a layer is some tens of milliseconds to seconds of arithmetic.
    await new Promise((resolve) => setImmediate(resolve));
    assertNotAborted(signal);
  };
  assertNotAborted(signal);

  const compared = [];
  for (const type of types) {
    compared.push(await compareUnits(type, sources, { subsets, fraction, onLayer }));
  }
  const reliability = [];
  for (const source of sources) {
    const computed = compared.flatMap(({ reliability: own }) => own.get(source) ?? []);
    const scored = await reliabilityOf(source, computed);
    reliability.push(...scored.reliability);
    warnings.push(...scored.warnings);
  }

  return {
    schema: 'babelscope/comparison',
    schemaVersion: COMPARISON_SCHEMA_VERSION,
    babelscope: VERSION,
    probe: manifest.probe,
    shape: manifest.shape,
    languages: manifest.languages.map(({ tag, name, script, family }) => ({ tag, name, script, family })),
    completeItems: completeItemsOf(reference),
    items: manifest.plan.items.length,
    folds: manifest.plan.folds,
    splits: subsets.halves.length,
    seed,
    positions: manifest.plan.positions,
    runs: sources.map(comparedRun),
    units: compared.map(({ comparison }) => comparison),
    headMaps: compared.flatMap(({ headMaps }) => headMaps),
    reliability,
    warnings,
    [unitChanges]: compared.flatMap(({ changes }) => changes),
  };
}

async function openAll(runs: readonly RunToCompare[]): Promise<RunSource[]> {
  if (runs.length === 0) {
    throw new UsageError({
      what: 'there is no run to compare',
      remedy: 'Give the folder of one run or more.',
    });
  }
  const sources: RunSource[] = [];
  const used = new Set<string>();
  for (const { label } of runs) {
    if (label === undefined) continue;
    if (used.has(label)) {
      throw new UsageError({
        what: 'two runs have the same label',
        where: '--labels',
        expected: 'a name for each run',
        found: label,
        remedy: 'give each run a label of its own',
      });
    }
    used.add(label);
  }
  for (const { folder, label } of runs) {
    const source = await RunSource.open(folder);
    let name = label;
    if (name === undefined) {
      // Checkpoints of one training run often share a folder name.
      name = source.label;
      for (let n = 2; used.has(name); n++) name = `${source.label} (${n})`;
      used.add(name);
    }
    sources.push(source.labelled(name));
  }
  return sources;
}

/** Exact where items were kept; else what the prompts of each language guarantee. */
function completeItemsOf({ grid, manifest }: RunSource): number {
  if (grid !== null) return grid.complete.length;
  const items = manifest.plan.items.length;
  const missing = manifest.languages.reduce((sum, { prompts }) => sum + items - prompts, 0);
  return Math.max(0, items - missing);
}

function comparedRun({ label, manifest }: RunSource): ComparedRun {
  return {
    label,
    model: manifest.model,
    languages: manifest.languages.map(({ tag, prompts, tokens }) => ({ tag, prompts, tokens })),
    planSha256: manifest.planSha256,
  };
}

function assertNotAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) {
    throw new InterruptedError({ what: 'the comparison was interrupted; nothing was written' });
  }
}
