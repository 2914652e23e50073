import { openDotProducts } from '../runtime/index.js';
import { languagePairs, type PairAlignment } from '../scores/index.js';
import { AlignmentTally } from './alignment-tally.js';
import {
  ALIGNMENT_MEASURES,
  type AlignmentChange,
  type AlignmentComparison,
  type AlignmentContrast,
  type AlignmentLevel,
  type AlignmentPlace,
  type AlignmentTrend,
} from './alignment-types.js';
import { differenceInDifferences, differencesWithin, type Subsets } from './contrasts.js';
import type { FoldSubsets } from './fold-subsets.js';
import { comparedPairs } from './headlines.js';
import { estimate, judge } from './judge.js';
import type { Scope } from './layer-scores.js';
import { type Regime, runsOf } from './regimes.js';
import type { RunSource } from './run-source.js';
import { seedFloor } from './seed-floor.js';
import { trendOf } from './trends.js';

const RANGES = { margin: [-2, 2], mexa: [0, 1] } as const;
const RANGES_OF_CHANGE = { margin: [-4, 4], mexa: [-1, 1] } as const;
const NEEDS = 'no two languages share two items';

export interface AlignmentOptions {
  readonly subsets: FoldSubsets;
  /** The first is of all languages. */
  readonly scopes: readonly Scope[];
  /** Pairs of compared runs whose changes against the reference are set against each other. */
  readonly contrasts: readonly { readonly from: number; readonly to: number }[];
  /** By label; empty without a trajectory. */
  readonly steps: ReadonlyMap<string, number>;
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
 * Alignment of languages by layer, and its mean over layers, of every run, its change between every two, its
 * differences in differences and its trend over a trajectory: a mean over pairs of languages, with jackknife intervals
 * and floors. Items of a left-out fold are no candidates, and within and across are both at half size, so that MEXA's
 * dependence on the number of candidates favours neither.
 */
export async function compareAlignment(
  regimes: readonly Regime[],
  options: AlignmentOptions,
): Promise<AlignmentComparison> {
  const { scopes } = options;
  const { layers, languages, manifest } = regimes[0]!.run;
  const { tallies, measured, items } = await tally(regimes, options);
  const numbers = new AlignmentNumbers(regimes, tallies, options);
  const places = ALIGNMENT_MEASURES.flatMap((measure) =>
    [...scopes.keys()].flatMap((scope) =>
      [null, ...Array.from({ length: layers }, (_, l) => l)].map((layer) => ({ measure, scope, layer })),
    ),
  );
  return {
    pooling: manifest.plan.pooling,
    pairs: { measured, all: languagePairs(languages).length },
    items,
    levels: places.flatMap((place) => numbers.levels(place)),
    changes: places.flatMap((place) => numbers.changes(place)),
    contrasts: places.flatMap((place) => numbers.contrasts(place)),
    trends: options.steps.size === 0 ? [] : places.map((place) => numbers.trend(place)),
  };
}

/** Reads the residual stream of every run and seed, layer by layer. */
async function tally(regimes: readonly Regime[], { subsets, scopes, contrasts, onLayer }: AlignmentOptions) {
  const { runs } = runsOf(regimes);
  const { layers, manifest } = runs[0]!;
  // Of seeds only contrasts ask for more than all folds.
  const foldsOf = (run: number) =>
    run < regimes.length || contrasts.length > 0 ? subsets.folds : subsets.folds.slice(0, 1);
  const tallies = runs.map((_, run) => new AlignmentTally(scopes, foldsOf(run), layers));
  let [measured, least, most] = [0, Number.POSITIVE_INFINITY, 0];
  const products = await openDotProducts(manifest.shape.dModel ?? 0);
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
        const own = pairs.filter((_, p) => usable[p]);
        tallies[r]!.add(l, own);
        for (const { sums } of own) {
          least = Math.min(least, sums.foldOf.length);
          most = Math.max(most, sums.foldOf.length);
        }
      }
      measured = usable.filter((of) => of).length;
    }
  } finally {
    await products.release();
  }
  return { tallies, measured, items: most === 0 ? ([0, 0] as const) : ([least, most] as const) };
}

interface Place extends Pick<AlignmentPlace, 'measure' | 'layer'> {
  readonly scope: number;
}

/** What is said of one place, from the tallies of every run and seed. */
class AlignmentNumbers {
  readonly #labels: readonly string[];
  readonly #ofRegime: readonly (readonly number[])[];
  readonly #tallies: readonly AlignmentTally[];
  readonly #options: AlignmentOptions;

  constructor(regimes: readonly Regime[], tallies: readonly AlignmentTally[], options: AlignmentOptions) {
    this.#labels = regimes.map(({ run }) => run.label);
    this.#ofRegime = runsOf(regimes).ofRegime;
    this.#tallies = tallies;
    this.#options = options;
  }

  levels(place: Place): AlignmentLevel[] {
    const { leaveOneOut } = this.#options.subsets;
    return this.#labels.map((label, run) => {
      const replicates = leaveOneOut.map((subset) => this.#of(place, run, subset));
      const value = estimate(this.#of(place, run, 0), replicates, RANGES[place.measure]);
      return { ...this.#named(place), label, value };
    });
  }

  changes(place: Place): AlignmentChange[] {
    const { leaveOneOut, halves } = this.#options.subsets;
    return comparedPairs(this.#labels.length).map(({ from, to }): AlignmentChange => {
      const between = (a: number, b: number) => this.#of(place, to, b) - this.#of(place, from, a);
      const within = (run: number) =>
        halves.map(({ first, second }) => this.#of(place, run, second) - this.#of(place, run, first));
      const { change, floor } = judge(
        {
          value: between(0, 0),
          leaveOneOut: leaveOneOut.map((subset) => between(subset, subset)),
          withinFrom: within(from),
          withinTo: within(to),
          across: halves.flatMap(({ first, second }) => [between(first, second), between(second, first)]),
        },
        'difference',
        RANGES_OF_CHANGE[place.measure],
        NEEDS,
      );
      const ofSeeds = (regime: number) => this.#ofRegime[regime]!.map((run) => this.#of(place, run, 0));
      const [fromSeeds, toSeeds] = [ofSeeds(from), ofSeeds(to)];
      const seeds = seedFloor(
        differencesWithin(fromSeeds),
        differencesWithin(toSeeds),
        fromSeeds.flatMap((a) => toSeeds.map((b) => b - a)),
        'difference',
        NEEDS,
      );
      const [labelFrom, labelTo] = [this.#labels[from]!, this.#labels[to]!];
      return { ...this.#named(place), from: labelFrom, to: labelTo, change, ...floor, seeds };
    });
  }

  contrasts(place: Place): AlignmentContrast[] {
    const { subsets, contrasts } = this.#options;
    const subsetsOf = (over: Subsets): readonly [number, number] => {
      if (over === 'full') return [0, 0];
      if ('without' in over) return [subsets.leaveOneOut[over.without]!, subsets.leaveOneOut[over.without]!];
      const { first, second } = subsets.halves[over.split]!;
      return [0, over.half === 0 ? first : second];
    };
    return contrasts.map(({ from, to }) => ({
      ...this.#named(place),
      reference: this.#labels[0]!,
      from: this.#labels[from]!,
      to: this.#labels[to]!,
      ...differenceInDifferences({
        from: this.#ofRegime[from]!,
        to: this.#ofRegime[to]!,
        change: (run, over) => {
          const [ofReference, own] = subsetsOf(over);
          return this.#of(place, run, own) - this.#of(place, 0, ofReference);
        },
        subsets,
        range: RANGES_OF_CHANGE[place.measure],
        needs: NEEDS,
        impossible: null,
      }),
    }));
  }

  trend(place: Place): AlignmentTrend {
    const values = this.levels(place).map(({ label, value }) => [label, value] as const);
    return { ...this.#named(place), ...trendOf(this.#options.steps, values) };
  }

  #of({ measure, scope, layer }: Place, run: number, subset: number): number {
    return this.#tallies[run]!.value(measure, scope, layer, subset);
  }

  #named({ measure, scope, layer }: Place): AlignmentPlace {
    return { measure, group: this.#options.scopes[scope]!.group, layer };
  }
}
