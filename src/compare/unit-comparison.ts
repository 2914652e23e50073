import { lape } from '../scores/lape.js';
import { HalfScores } from '../scores/reliability.js';
import { RELIABILITY_UNITS } from '../scores/score-run.js';
import { referenceCut } from '../scores/select-tang2024.js';
import type { ReferenceCut } from '../scores/selection.js';
import type { UnitType } from '../scores/types.js';
import { vectorShare } from '../scores/vector-share.js';
import { Random } from '../stats/random.js';
import type { FoldSubsets } from './fold-subsets.js';
import { AcrossPairs, headlines, WithinPairs } from './headlines.js';
import { ratesOf, type SubsetScores, scoreSubset, type UnitLayer } from './layer-scores.js';
import { finiteOrNull, finiteOrNullEach } from './numbers.js';
import { entropyEdges, ProfileBuilder, ReallocationBuilder } from './profile.js';
import type { RunReliability } from './reliability.js';
import type { RunSource } from './run-source.js';
import { RunTally } from './tally.js';
import type { HeadMap, UnitComparison } from './types.js';
import { type LayerReplicates, type UnitChanges, UnitChangesBuilder } from './unit-changes.js';

export interface UnitComparisonOptions {
  readonly subsets: FoldSubsets;
  /** Share of units that the reference run selects; default 0.01 (Tang et al., ACL 2024). */
  readonly fraction?: number | undefined;
  /** Called after each layer of each run. */
  readonly onLayer: () => Promise<void>;
}

export interface ComparedUnits {
  readonly comparison: UnitComparison;
  readonly headMaps: readonly HeadMap[];
  /** One a run but the reference. */
  readonly changes: readonly UnitChanges[];
  /** Of LAPE and ω²_language, from the halves of the noise floor; empty without halves. */
  readonly reliability: ReadonlyMap<RunSource, readonly RunReliability[]>;
}

/**
 * Compares one unit type over runs, the first being the reference. Walks the layers twice: once the reference's fold
 * sums, for the cut; then every layer of every run, whose scores over all subsets of folds are tallied and dropped.
 * Two layers are in memory at a time, the reference's and another run's.
 */
export async function compareUnits(
  type: UnitType,
  runs: readonly RunSource[],
  { subsets, fraction, onLayer }: UnitComparisonOptions,
): Promise<ComparedUnits> {
  const reference = runs[0]!;
  const { layers, languages } = reference;
  const cut = await fixedCut(type, reference, subsets.folds[subsets.full]!, fraction);
  const sides = runs.map((run, i) => new Side(run, i > 0, type, subsets, layers, languages));

  for (let l = 0; l < layers; l++) {
    let first: LayerScores | null = null;
    for (const side of sides) {
      const scores = scoreLayer(await side.run.readLayer(type, l), subsets, cut);
      side.add(l, scores, first ?? scores);
      first ??= scores;
      await onLayer();
    }
  }

  const base = sides[0]!;
  const others = sides.slice(1);
  const units = layers * reference.unitsPerLayer(type);
  const unselected = Number.isNaN(cut.entropyCut)
    ? `the reference selects none: ${100 * cut.fraction} % of ${units} ${type}s is ${(cut.fraction * units).toFixed(2)}`
    : null;
  return {
    comparison: {
      type,
      policy: {
        entropyCut: finiteOrNull(cut.entropyCut),
        bar: finiteOrNull(cut.bar),
        fraction: cut.fraction,
      },
      entropyEdges: entropyEdges(languages),
      profiles: sides.map((side) => side.profile.finish(side.run.label, side.tally)),
      reallocations: others.map((other) => other.reallocation.finish(base.run.label, other.run.label)),
      headlines: others.flatMap((other) =>
        headlines(type, other.run.label, base, other, other.across, subsets, languages, unselected),
      ),
    },
    headMaps: type === 'head' ? sides.map((side) => side.headMap()) : [],
    changes: others.map((other) => other.changes.changes),
    reliability: new Map(sides.map((side) => [side.run, side.reliability(type)])),
  };
}

/** The `reference` policy's numbers, from all folds and layers of the reference run. */
async function fixedCut(
  type: UnitType,
  reference: RunSource,
  folds: readonly number[],
  fraction: number | undefined,
): Promise<ReferenceCut> {
  const { layers, languages } = reference;
  const units = reference.unitsPerLayer(type);
  const rates = new Float64Array(languages * layers * units);
  for (let l = 0; l < layers; l++) {
    const ofLayer = ratesOf(await reference.readSums(type, l), folds);
    for (let k = 0; k < languages; k++) {
      rates.set(ofLayer.subarray(k * units, (k + 1) * units), (k * layers + l) * units);
    }
  }
  return referenceCut(rates, lape(rates, languages), languages, fraction === undefined ? {} : { fraction });
}

/** A layer of one run, scored on every subset of the folds. */
interface LayerScores extends LayerReplicates {
  readonly layer: UnitLayer;
  /** [subset]. */
  readonly each: readonly Pick<SubsetScores, 'assignment' | 'lape' | 'omega2'>[];
  readonly assignments: readonly Int16Array[];
}

function scoreLayer(layer: UnitLayer, subsets: FoldSubsets, cut: ReferenceCut): LayerScores {
  const full = scoreSubset(layer, subsets.folds[subsets.full]!, cut);
  // Rates and memberships are needed over all folds only; the rest of a subset's scores is kept.
  const each = subsets.folds.map((folds, subset) => {
    if (subset === subsets.full) return full;
    const { lape: entropies, omega2, assignment } = scoreSubset(layer, folds, cut);
    return { lape: entropies, omega2, assignment };
  });
  return {
    layer,
    full,
    each,
    leaveOneOut: subsets.leaveOneOut.map((subset) => each[subset]!),
    assignments: each.map(({ assignment }) => assignment),
  };
}

/** One run while its layers pass by. */
class Side {
  readonly run: RunSource;
  readonly tally: RunTally;
  readonly within: WithinPairs;
  readonly across: AcrossPairs;
  readonly profile: ProfileBuilder;
  readonly reallocation: ReallocationBuilder;
  readonly changes: UnitChangesBuilder;
  readonly #halfLape: HalfScores;
  readonly #halfOmega2: HalfScores;
  readonly #isOther: boolean;
  readonly #subsets: FoldSubsets;
  readonly #languages: number;
  readonly #omega2: (number | null)[][] = [];
  readonly #lape: (number | null)[][] = [];
  readonly #vectorShare: (number | null)[][] = [];

  constructor(
    run: RunSource,
    isOther: boolean,
    type: UnitType,
    subsets: FoldSubsets,
    layers: number,
    languages: number,
  ) {
    this.run = run;
    this.#isOther = isOther;
    this.#subsets = subsets;
    this.#languages = languages;
    this.tally = new RunTally(subsets.folds.length, layers);
    const splits = subsets.halves.map(({ first, second }) => ({
      first: subsets.folds[first]!,
      second: subsets.folds[second]!,
    }));
    const sample = new Random(0).sample(layers * run.unitsPerLayer(type), RELIABILITY_UNITS);
    this.#halfLape = new HalfScores(splits, sample);
    this.#halfOmega2 = new HalfScores(splits, sample);
    this.within = new WithinPairs(subsets);
    this.across = new AcrossPairs(subsets);
    this.profile = new ProfileBuilder(languages);
    this.reallocation = new ReallocationBuilder(languages);
    this.changes = new UnitChangesBuilder(run.label, type, layers, isOther ? run.unitsPerLayer(type) : 0);
  }

  add(layer: number, scores: LayerScores, reference: LayerScores): void {
    const { full, each, assignments } = scores;
    each.forEach((subset, i) => {
      this.tally.record(i, layer, subset);
    });
    this.within.add(this.#subsets, assignments);
    this.profile.add(full);
    if (this.#isOther) {
      this.across.add(reference.assignments, assignments);
      this.reallocation.add(reference.full.assignment, full.assignment);
      this.changes.add(layer, this.#languages, reference, scores);
    }
    if (scores.layer.type === 'head') this.#addHeads(scores);
    const start = layer * full.lape.length;
    this.#subsets.halves.forEach((halves, split) => {
      [halves.first, halves.second].forEach((subset, side) => {
        const { lape: entropies, omega2 } = each[subset]!;
        this.#halfLape.setUnits(split, side, start, entropies);
        if (omega2 !== null) this.#halfOmega2.setUnits(split, side, start, omega2);
      });
    });
  }

  reliability(type: UnitType): RunReliability[] {
    if (this.#subsets.halves.length === 0) return [];
    return [
      { type, score: 'lape', ...this.#halfLape.reliability() },
      { type, score: 'omega2Language', ...this.#halfOmega2.reliability() },
    ];
  }

  #addHeads({ layer, full }: LayerScores): void {
    const { units } = layer.shape;
    const absent = () => new Array<null>(units).fill(null);
    this.#lape.push(finiteOrNullEach(full.lape));
    this.#omega2.push(full.omega2 === null ? absent() : finiteOrNullEach(full.omega2));
    if (layer.vectors === null) {
      this.#vectorShare.push(absent());
      return;
    }
    const share = vectorShare(layer.vectors, layer.vectors.units / units, this.#subsets.folds[0]);
    this.#vectorShare.push(finiteOrNullEach(share.language));
  }

  headMap(): HeadMap {
    return {
      label: this.run.label,
      omega2Language: this.#omega2,
      lape: this.#lape,
      vectorShareLanguage: this.#vectorShare,
    };
  }
}
