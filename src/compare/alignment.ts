import { openDotProducts } from '../runtime/dot-products.js';
import { alignmentOver } from '../scores/alignment.js';
import { languagePairs, type PairAlignment } from '../scores/layer-alignment.js';
import {
  ALIGNMENT_MEASURES,
  type AlignmentChange,
  type AlignmentComparison,
  type AlignmentLevel,
  type AlignmentMeasure,
} from './alignment-types.js';
import type { FoldSubsets } from './fold-subsets.js';
import { comparedPairs } from './headlines.js';
import { estimate, judge } from './judge.js';
import type { Scope } from './layer-scores.js';
import { ratio } from './measures.js';
import type { RunSource } from './run-source.js';
import { seedFloor } from './seed-floor.js';
import type { Regime } from './unit-comparison.js';

const RANGES = { margin: [-2, 2], mexa: [0, 1] } as const;
const RANGES_OF_CHANGE = { margin: [-4, 4], mexa: [-1, 1] } as const;
const NEEDS = 'no two languages share two items';

export interface AlignmentOptions {
  readonly subsets: FoldSubsets;
  /** The first is of all languages. */
  readonly scopes: readonly Scope[];
  /** Called after each layer of each run. */
  readonly onLayer: () => Promise<void>;
}

/** Whether runs hold what their alignment is computed from. */
export function canAlign(runs: readonly RunSource[]): boolean {
  return runs.every(
    ({ keepsResidual, languages, manifest }) =>
      keepsResidual && languages > 1 && manifest.probe.parallel !== false,
  );
}

/**
 * Alignment of languages by layer, and its mean over layers, of every run, and its change between every two: a mean over
 * pairs of languages, with jackknife intervals and floors. Items of a left-out fold are no candidates, and within
 * and across are both at half size, so that MEXA's dependence on the number of candidates favours neither.
 */
export async function compareAlignment(
  regimes: readonly Regime[],
  { subsets, scopes, onLayer }: AlignmentOptions,
): Promise<AlignmentComparison> {
  const compared = regimes.map(({ run }) => run);
  const seeds = regimes.flatMap(({ seeds: own }, regime) => own.map((run) => ({ run, regime })));
  const runs = [...compared, ...seeds.map(({ run }) => run)];
  const { layers, languages, manifest } = compared[0]!;
  const tallies = runs.map(
    (_, r) =>
      new AlignmentTally(scopes, r < compared.length ? subsets.folds : subsets.folds.slice(0, 1), layers),
  );
  const counts: number[] = [];
  let measured = 0;
  const products = await openDotProducts(manifest.shape.dModel);
  try {
    for (let l = 0; l < layers; l++) {
      const ofRuns: PairAlignment[][] = [];
      for (const run of runs) {
        ofRuns.push(await run.readAlignment(l, products));
        await onLayer();
      }
      // A pair counts where every run has it, so that runs are means over the same pairs.
      const usable = ofRuns[0]!.map((_, p) => ofRuns.every((pairs) => pairs[p]!.sums.foldOf.length > 1));
      for (const [r, pairs] of ofRuns.entries()) {
        tallies[r]!.add(
          l,
          pairs.filter((_, p) => usable[p]),
        );
        counts.push(...pairs.filter((_, p) => usable[p]).map(({ sums }) => sums.foldOf.length));
      }
      measured = usable.filter((of) => of).length;
    }
  } finally {
    await products.release();
  }

  const regimeRuns = regimes.map((_, regime) => [
    regime,
    ...seeds.flatMap((seed, i) => (seed.regime === regime ? [compared.length + i] : [])),
  ]);
  const levels: AlignmentLevel[] = [];
  const changes: AlignmentChange[] = [];
  for (const measure of ALIGNMENT_MEASURES) {
    for (const [scope, { group }] of scopes.entries()) {
      for (const layer of [null, ...Array.from({ length: layers }, (_, l) => l)]) {
        const of = (run: number, subset: number) => tallies[run]!.value(measure, scope, layer, subset);
        const place = { measure, group, layer };
        for (const [run, { label }] of compared.entries()) {
          const replicates = subsets.leaveOneOut.map((subset) => of(run, subset));
          levels.push({ ...place, label, value: estimate(of(run, 0), replicates, RANGES[measure]) });
        }
        for (const { from, to } of comparedPairs(compared.length)) {
          const between = (a: number, b: number) => of(to, b) - of(from, a);
          const within = (run: number) =>
            subsets.halves.map(({ first, second }) => of(run, second) - of(run, first));
          const { change, floor } = judge(
            {
              value: between(0, 0),
              leaveOneOut: subsets.leaveOneOut.map((subset) => between(subset, subset)),
              withinFrom: within(from),
              withinTo: within(to),
              across: subsets.halves.flatMap(({ first, second }) => [
                between(first, second),
                between(second, first),
              ]),
            },
            'difference',
            RANGES_OF_CHANGE[measure],
            NEEDS,
          );
          const fromSeeds = regimeRuns[from]!.map((run) => of(run, 0));
          const toSeeds = regimeRuns[to]!.map((run) => of(run, 0));
          const seedsFloor = seedFloor(
            differences(fromSeeds),
            differences(toSeeds),
            fromSeeds.flatMap((a) => toSeeds.map((b) => b - a)),
            'difference',
            NEEDS,
          );
          const labels = { from: compared[from]!.label, to: compared[to]!.label };
          changes.push({ ...place, ...labels, change, ...floor, seeds: seedsFloor });
        }
      }
    }
  }
  return {
    pooling: manifest.plan.pooling,
    pairs: { measured, all: languagePairs(languages).length },
    items: counts.length === 0 ? [0, 0] : [leastOf(counts), mostOf(counts)],
    levels,
    changes,
  };
}

/** Means over pairs of languages, of a run, over every subset of folds. */
class AlignmentTally {
  readonly #scopes: readonly Scope[];
  readonly #folds: readonly (readonly number[])[];
  readonly #layers: number;
  /** [scope, layer, subset]. */
  readonly #values: Readonly<Record<AlignmentMeasure, Float64Array>>;

  constructor(scopes: readonly Scope[], folds: readonly (readonly number[])[], layers: number) {
    const size = scopes.length * layers * folds.length;
    this.#scopes = scopes;
    this.#folds = folds;
    this.#layers = layers;
    this.#values = { margin: new Float64Array(size), mexa: new Float64Array(size) };
  }

  add(layer: number, pairs: readonly PairAlignment[]): void {
    for (const [subset, folds] of this.#folds.entries()) {
      const aligned = pairs.map(({ a, b, sums }) => ({ a, b, ...alignmentOver(sums, folds) }));
      for (const [scope, { languages }] of this.#scopes.entries()) {
        const own = aligned.filter(({ a, b }) => languages.includes(a) && languages.includes(b));
        for (const measure of ALIGNMENT_MEASURES) {
          const sum = own.reduce((total, pair) => total + pair[measure], 0);
          this.#values[measure][this.#at(scope, layer, subset)] = ratio(sum, own.length);
        }
      }
    }
  }

  /** NaN where some pair has none; `layer` null: mean over layers. */
  value(measure: AlignmentMeasure, scope: number, layer: number | null, subset: number): number {
    const of = (l: number) => this.#values[measure][this.#at(scope, l, subset)]!;
    if (layer !== null) return of(layer);
    let sum = 0;
    for (let l = 0; l < this.#layers; l++) sum += of(l);
    return sum / this.#layers;
  }

  #at(scope: number, layer: number, subset: number): number {
    return (scope * this.#layers + layer) * this.#folds.length + subset;
  }
}

/** Between every two. */
function differences(values: readonly number[]): number[] {
  return values.flatMap((a, i) => values.slice(i + 1).map((b) => b - a));
}

function leastOf(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value));
}

function mostOf(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value));
}
