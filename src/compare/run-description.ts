import { exclusivity, HalfScores, RELIABILITY_UNITS, topLanguage, vectorShare } from '../scores/index.js';
import { Random } from '../stats/index.js';
import type { UnitLayout, UnitType } from '../store/index.js';
import type { Comparison, ExpertMap, HeadMap, RunProfile } from './comparison.js';
import type { FoldSubsets } from './inputs/fold-subsets.js';
import type { SubsetScores, UnitLayer } from './inputs/layer-scores.js';
import type { RunSource } from './inputs/run-source.js';
import type { RunTally } from './inputs/tally.js';
import { LayerGrids } from './numbers.js';
import { ProfileBuilder } from './profile.js';

/** A comparison says this of one run by itself; it is collected while its layers pass by. */
export class RunDescription {
  readonly #run: RunSource;
  readonly #type: UnitType;
  readonly #layout: UnitLayout;
  readonly #subsets: FoldSubsets;
  readonly #profile: ProfileBuilder;
  readonly #halfLape: HalfScores;
  readonly #halfOmega2: HalfScores;
  /** By subset: which half of which split it is, if any. */
  readonly #halfOf: ReadonlyMap<number, { readonly split: number; readonly half: number }>;
  readonly #heads = new LayerGrids(['omega2Language', 'lape', 'vectorShareLanguage']);
  readonly #experts = new LayerGrids(['frequency', 'exclusivity', 'lape', 'topLanguage']);

  constructor(run: RunSource, type: UnitType, subsets: FoldSubsets) {
    this.#layout = run.layout(type);
    this.#run = run;
    this.#type = type;
    this.#subsets = subsets;
    this.#profile = new ProfileBuilder(run.languages);
    const splits = subsets.halves.map(({ first, second }) => ({
      first: subsets.folds[first]!,
      second: subsets.folds[second]!,
    }));
    this.#halfOf = new Map(
      subsets.halves.flatMap(({ first, second }, split) => [
        [first, { split, half: 0 as number }] as const,
        [second, { split, half: 1 as number }] as const,
      ]),
    );
    const sample = new Random(0).sample(this.#layout.units, RELIABILITY_UNITS);
    this.#halfLape = new HalfScores(splits, sample);
    this.#halfOmega2 = new HalfScores(splits, sample);
  }

  /** Adds units of a layer over one subset of the folds. */
  add(
    subset: number,
    { layer, unitStart }: Pick<UnitLayer, 'layer' | 'unitStart'>,
    { scopes }: SubsetScores,
  ): void {
    const half = this.#halfOf.get(subset);
    if (half === undefined) return;
    const { lape, omega2 } = scopes[0]!;
    const start = this.#layout.starts[layer]! + unitStart;
    this.#halfLape.setUnits(half.split, half.half, start, lape);
    if (omega2 !== null) this.#halfOmega2.setUnits(half.split, half.half, start, omega2);
  }

  /** Adds what is described over all folds only. Units come in order. */
  addFull({ layer, shape: { units }, vectors }: UnitLayer, full: SubsetScores): void {
    this.#profile.add(layer, full);
    const { lape, omega2 } = full.scopes[0]!;
    if (this.#type === 'expert')
      this.#experts.add(layer, { ...expertNumbers(full, this.#run.languages), lape });
    if (this.#type !== 'head') return;
    const absent = new Array<null>(units).fill(null);
    const share = vectors && vectorShare(vectors, vectors.units / units, this.#subsets.folds[0]).language;
    this.#heads.add(layer, { omega2Language: omega2 ?? absent, lape, vectorShareLanguage: share ?? absent });
  }

  profile(tally: RunTally): RunProfile {
    return this.#profile.finish(this.#run.label, tally);
  }

  headMap(): HeadMap | null {
    return this.#type === 'head' ? { label: this.#run.label, ...this.#heads.grids } : null;
  }

  expertMap(): ExpertMap | null {
    return this.#type === 'expert' ? { label: this.#run.label, ...this.#experts.grids } : null;
  }

  /** Of LAPE and ω²_language, from the halves of the noise floor; empty without halves. */
  reliability(): Comparison['reliability'] {
    if (this.#subsets.halves.length === 0) return [];
    const row = (score: string, halved: HalfScores) => {
      const { halves, stepUp } = halved.reliability();
      return { label: this.#run.label, type: this.#type, score, halves, stepUp };
    };
    return [row('lape', this.#halfLape), row('omega2_language', this.#halfOmega2)];
  }
}

/** Numbers of an `ExpertMap`, [expert]; `rates` are selection frequencies [language, expert]. */
function expertNumbers({ rates }: SubsetScores, languages: number) {
  const experts = rates.length / languages;
  const frequency = new Float64Array(experts);
  for (const [at, rate] of rates.entries()) frequency[at % experts]! += rate / languages;
  return {
    frequency,
    exclusivity: exclusivity(rates, languages),
    topLanguage: Array.from(topLanguage(rates, languages), (k) => (k === -1 ? null : k)),
  };
}
