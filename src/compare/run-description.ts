import { HalfScores, RELIABILITY_UNITS, vectorShare } from '../scores/index.js';
import { Random } from '../stats/index.js';
import type { UnitLayout, UnitType } from '../store/index.js';
import type { ExpertMap, HeadMap, RunProfile } from './comparison.js';
import { ExpertMapBuilder } from './expert-map.js';
import type { FoldSubsets } from './inputs/fold-subsets.js';
import type { SubsetScores, UnitLayer } from './inputs/layer-scores.js';
import type { RunSource } from './inputs/run-source.js';
import type { RunTally } from './inputs/tally.js';
import { finiteOrNullEach, LayerRows } from './numbers.js';
import { ProfileBuilder } from './profile.js';
import type { RunReliability } from './reliability.js';

/** A comparison says this of one run by itself; it is collected while its layers pass by. */
export class RunDescription {
  readonly #run: RunSource;
  readonly #type: UnitType;
  readonly #layout: UnitLayout;
  readonly #subsets: FoldSubsets;
  readonly #profile: ProfileBuilder;
  readonly #experts: ExpertMapBuilder | null;
  readonly #halfLape: HalfScores;
  readonly #halfOmega2: HalfScores;
  /** By subset: which half of which split it is, if any. */
  readonly #halfOf: ReadonlyMap<number, { readonly split: number; readonly half: number }>;
  readonly #omega2 = new LayerRows();
  readonly #lape = new LayerRows();
  readonly #vectorShare = new LayerRows();

  constructor(run: RunSource, type: UnitType, subsets: FoldSubsets) {
    const { languages } = run;
    this.#layout = run.layout(type);
    this.#run = run;
    this.#type = type;
    this.#subsets = subsets;
    this.#profile = new ProfileBuilder(languages);
    this.#experts = type === 'expert' ? new ExpertMapBuilder(languages) : null;
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
    this.#experts?.add(layer, full);
    if (this.#type !== 'head') return;
    const { lape, omega2 } = full.scopes[0]!;
    const absent = () => new Array<null>(units).fill(null);
    const share = vectors && vectorShare(vectors, vectors.units / units, this.#subsets.folds[0]).language;
    this.#lape.add(layer, finiteOrNullEach(lape));
    this.#omega2.add(layer, omega2 === null ? absent() : finiteOrNullEach(omega2));
    this.#vectorShare.add(layer, share === null ? absent() : finiteOrNullEach(share));
  }

  profile(tally: RunTally): RunProfile {
    return this.#profile.finish(this.#run.label, tally);
  }

  headMap(): HeadMap | null {
    if (this.#type !== 'head') return null;
    return {
      label: this.#run.label,
      omega2Language: this.#omega2.rows,
      lape: this.#lape.rows,
      vectorShareLanguage: this.#vectorShare.rows,
    };
  }

  expertMap(): ExpertMap | null {
    return this.#experts?.finish(this.#run.label) ?? null;
  }

  reliability(): RunReliability[] {
    if (this.#subsets.halves.length === 0) return [];
    return [
      { type: this.#type, score: 'lape', ...this.#halfLape.reliability() },
      { type: this.#type, score: 'omega2_language', ...this.#halfOmega2.reliability() },
    ];
  }
}
