import { deadUnits } from '../scores/index.js';
import type { Reallocation, RunProfile } from './comparison.js';
import type { SubsetScores } from './inputs/layer-scores.js';
import { type Measured, NOT_SELECTED, type RunTally } from './inputs/tally.js';
import { finiteOrNull, finiteOrNullEach } from './numbers.js';
import { cumulativeShare } from './quantities/depth.js';
import { ratio } from './quantities/quantity.js';

const ENTROPY_BINS = 50;

/** Edges of `ENTROPY_BINS` equal bins over 0 … ln K, nats. */
export function entropyEdges(languages: number): number[] {
  return Array.from({ length: ENTROPY_BINS + 1 }, (_, i) => (i / ENTROPY_BINS) * Math.log(languages));
}

/** Collects, layer by layer, what a `RunProfile` says and the tally does not hold. */
export class ProfileBuilder {
  readonly #languages: number;
  readonly #counts: number[][] = [];
  readonly #multiplicity: number[];
  readonly #histogram = new Array<number>(ENTROPY_BINS).fill(0);
  #units = 0;
  #dead = 0;

  constructor(languages: number) {
    this.#languages = languages;
    this.#multiplicity = new Array<number>(languages).fill(0);
  }

  /** Adds units of a layer over all folds. */
  add(layer: number, { rates, scopes, selection }: SubsetScores): void {
    const { lape } = scopes[0]!;
    const languages = this.#languages;
    const units = lape.length;
    this.#counts[layer] ??= new Array<number>(languages).fill(0);
    const counts = this.#counts[layer];
    const dead = deadUnits(rates, languages);
    for (let u = 0; u < units; u++) {
      const entropy = lape[u]!;
      this.#dead += dead[u]!;
      if (!Number.isNaN(entropy)) this.#histogram[entropyBin(entropy, languages)]!++;
      let own = 0;
      for (let k = 0; k < languages; k++) {
        if (selection.member[k * units + u] !== 1) continue;
        counts[k]!++;
        own++;
      }
      if (own > 0) this.#multiplicity[own - 1]!++;
    }
    this.#units += units;
  }

  finish(label: string, tally: RunTally): RunProfile {
    const selectedByLayer = Array.from(tally.layersOf('selected', 0));
    const mean = (sum: Measured, count: Measured) =>
      selectedByLayer.map((_, l) => finiteOrNull(ratio(tally.over(sum, 0, l), tally.over(count, 0, l))));
    return {
      label,
      units: this.#units,
      dead: this.#dead,
      selected: selectedByLayer.reduce((sum, n) => sum + n, 0),
      shared: this.#multiplicity.slice(1).reduce((sum, n) => sum + n, 0),
      multiplicity: this.#multiplicity,
      counts: this.#counts,
      selectedByLayer,
      cumulative: finiteOrNullEach(cumulativeShare(selectedByLayer)),
      entropyHistogram: this.#histogram,
      meanLape: mean('entropySum', 'live'),
      meanOmega2Language: mean('omega2Sum', 'omega2Units'),
    };
  }
}

function entropyBin(entropy: number, languages: number): number {
  const share = languages > 1 ? entropy / Math.log(languages) : 0;
  return Math.min(ENTROPY_BINS - 1, Math.floor(share * ENTROPY_BINS));
}

/** Counts, layer by layer, where the units selected in either run went. */
export class ReallocationBuilder {
  readonly #matrix: number[][];

  constructor(languages: number) {
    this.#matrix = Array.from({ length: languages + 1 }, () => new Array<number>(languages + 1).fill(0));
  }

  /** Adds assignments of units over all folds. */
  add(from: Int16Array, to: Int16Array): void {
    const none = this.#matrix.length - 1;
    for (let u = 0; u < from.length; u++) {
      const a = from[u]!;
      const b = to[u]!;
      if (a === NOT_SELECTED && b === NOT_SELECTED) continue;
      this.#matrix[a === NOT_SELECTED ? none : a]![b === NOT_SELECTED ? none : b]!++;
    }
  }

  /** `kept` counts units selected in both runs, whatever their language. */
  finish(from: string, to: string): Reallocation {
    const none = this.#matrix.length - 1;
    let gained = 0;
    let lost = 0;
    let kept = 0;
    for (const [a, row] of this.#matrix.entries()) {
      for (const [b, units] of row.entries()) {
        if (a === none) gained += units;
        else if (b === none) lost += units;
        else kept += units;
      }
    }
    return { from, to, matrix: this.#matrix, gained, lost, kept };
  }
}
