/** Assignment of a unit that is not selected; a selected unit has the index of its top language. */
export const NOT_SELECTED = -1;

/**
 * A sum over units that a `RunTally` holds: the number of selected ones, LAPE over live units and their number, ω² of
 * language over units that have one and their number.
 */
export type Measured = 'selected' | 'entropySum' | 'live' | 'omega2Sum' | 'omega2Units';

/**
 * Sums over units of one run in one scope, for every subset of folds, layer by layer: what quantities of units are
 * computed from. Memory does not grow with the number of units. Arrays are [subset, layer].
 */
export class RunTally {
  readonly layers: number;
  readonly #sums: Readonly<Record<Measured, Float64Array>>;

  constructor(subsets: number, layers: number) {
    const zeros = () => new Float64Array(subsets * layers);
    this.layers = layers;
    this.#sums = {
      selected: zeros(),
      entropySum: zeros(),
      live: zeros(),
      omega2Sum: zeros(),
      omega2Units: zeros(),
    };
  }

  /** [layer]. */
  layersOf(sum: Measured, subset: number): Float64Array {
    return this.#sums[sum].subarray(subset * this.layers, (subset + 1) * this.layers);
  }

  /** Over one layer, or all of them. */
  over(sum: Measured, subset: number, layer: number | null = null): number {
    const layers = this.layersOf(sum, subset);
    return layer === null ? layers.reduce((total, value) => total + value, 0) : layers[layer]!;
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
    const sums = this.#sums;
    sums.selected[at]! += selected;
    addPresent(lape, sums.entropySum, sums.live, at);
    if (omega2 !== null) addPresent(omega2, sums.omega2Sum, sums.omega2Units, at);
  }
}

export type PairCount = 'both' | 'either' | 'sameLanguage';

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
