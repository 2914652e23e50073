/** Assignment of a unit that is not selected; a selected unit has the index of its top language. */
export const NOT_SELECTED = -1;

/** A sum over units that a `RunTally` holds. */
export type Measured = 'selected' | 'entropySum' | 'live' | 'omega2Sum' | 'omega2Units';

/**
 * Sums over units of one run in one scope, for every subset of folds, layer by layer: what quantities of units are
 * computed from. Memory does not grow with the number of units. Arrays are [subset, layer].
 */
export class RunTally {
  readonly layers: number;
  readonly selected: Float64Array;
  /** The sum of LAPE over live units. */
  readonly entropySum: Float64Array;
  readonly live: Float64Array;
  /** The sum of ω²_language over units that have one. */
  readonly omega2Sum: Float64Array;
  readonly omega2Units: Float64Array;

  constructor(subsets: number, layers: number) {
    this.layers = layers;
    this.selected = new Float64Array(subsets * layers);
    this.entropySum = new Float64Array(subsets * layers);
    this.live = new Float64Array(subsets * layers);
    this.omega2Sum = new Float64Array(subsets * layers);
    this.omega2Units = new Float64Array(subsets * layers);
  }

  /** [layer]. */
  layersOf(sum: Measured, subset: number): Float64Array {
    return this[sum].subarray(subset * this.layers, (subset + 1) * this.layers);
  }

  ofLayer(sum: Measured, subset: number, layer: number): number {
    return this[sum][subset * this.layers + layer]!;
  }

  /** Over all layers. */
  total(sum: Measured, subset: number): number {
    let total = 0;
    for (const value of this.layersOf(sum, subset)) total += value;
    return total;
  }

  /** Adds units of a layer; `lape` and `omega2` hold NaN for units without one. Arrays are [unit]. */
  add(
    subset: number,
    layer: number,
    {
      lape,
      omega2,
      assignment,
    }: {
      readonly lape: Float64Array;
      readonly omega2: Float64Array | null;
      readonly assignment: Int16Array;
    },
  ): void {
    const at = subset * this.layers + layer;
    let selected = 0;
    for (let u = 0; u < assignment.length; u++) if (assignment[u] !== NOT_SELECTED) selected++;
    this.selected[at]! += selected;
    addPresent(lape, this.entropySum, this.live, at);
    if (omega2 !== null) addPresent(omega2, this.omega2Sum, this.omega2Units, at);
  }
}

/** Units selected in both, in either, and in both for the same language; [pair of subsets], over all layers. */
export class PairTally {
  readonly both: Float64Array;
  readonly either: Float64Array;
  readonly sameLanguage: Float64Array;

  constructor(pairs: number) {
    this.both = new Float64Array(pairs);
    this.either = new Float64Array(pairs);
    this.sameLanguage = new Float64Array(pairs);
  }

  /** Adds units, matched by index. */
  add(pair: number, a: Int16Array, b: Int16Array): void {
    let both = 0;
    let either = 0;
    let same = 0;
    for (let u = 0; u < a.length; u++) {
      const p = a[u]!;
      const q = b[u]!;
      if (p === NOT_SELECTED && q === NOT_SELECTED) continue;
      either++;
      if (p === NOT_SELECTED || q === NOT_SELECTED) continue;
      both++;
      if (p === q) same++;
    }
    this.both[pair]! += both;
    this.either[pair]! += either;
    this.sameLanguage[pair]! += same;
  }
}

/** Adds the values that are not NaN, and their number, one by one: in however many blocks they come, the sum is the same. */
function addPresent(values: Float64Array, sums: Float64Array, counts: Float64Array, at: number): void {
  let sum = sums[at]!;
  for (let u = 0; u < values.length; u++) {
    const value = values[u]!;
    if (Number.isNaN(value)) continue;
    sum += value;
    counts[at]! += 1;
  }
  sums[at] = sum;
}

/** Selected units that belong to each language, [subset, language], over all layers. */
export class LanguageCounts {
  readonly #languages: number;
  readonly #counts: Float64Array;

  constructor(subsets: number, languages: number) {
    this.#languages = languages;
    this.#counts = new Float64Array(subsets * languages);
  }

  of(subset: number, language: number): number {
    return this.#counts[subset * this.#languages + language]!;
  }

  /** Adds units; `member` is [language, unit]. */
  add(subset: number, member: Uint8Array): void {
    const units = member.length / this.#languages;
    for (let k = 0; k < this.#languages; k++) {
      let own = 0;
      for (let u = 0; u < units; u++) own += member[k * units + u]!;
      this.#counts[subset * this.#languages + k]! += own;
    }
  }
}
