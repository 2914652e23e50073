import type { LanguageArray, UnitArray } from './score-arrays.js';
import type { ScoredType } from './types.js';
import type { UnitLayout } from './unit-layout.js';

type Numbers = Float64Array | Float32Array;

/** Scores are kept in double precision; how sure they are needs no more than single. */
const SINGLE = /_(se|low|high|p|q)$/;

/**
 * What is kept of every unit of a type while a run is scored. Units run layer by layer. Arrays exist once something was
 * set in them; what was not set is NaN.
 */
export class UnitScores {
  readonly type: ScoredType;
  readonly layout: UnitLayout;
  readonly languages: number;
  /** Of all layers. */
  readonly units: number;
  readonly #ofUnits = new Map<UnitArray, Numbers>();
  readonly #ofLanguages = new Map<LanguageArray, Numbers>();

  constructor(type: ScoredType, layout: UnitLayout, languages: number) {
    this.type = type;
    this.layout = layout;
    this.languages = languages;
    this.units = layout.units;
  }

  /** [unit]; null if nothing was set. */
  ofUnits(name: UnitArray): Numbers | null {
    return this.#ofUnits.get(name) ?? null;
  }

  /** [language, unit]; null if nothing was set. */
  ofLanguages(name: LanguageArray): Numbers | null {
    return this.#ofLanguages.get(name) ?? null;
  }

  /** Sets the values [n] of units start … start + n − 1. */
  setUnits(name: UnitArray, start: number, values: Numbers): void {
    filled(this.#ofUnits, name, this.units).set(values, start);
  }

  /** Sets the values [language, n] of units start … start + n − 1. */
  setLanguages(name: LanguageArray, start: number, values: Numbers): void {
    const target = filled(this.#ofLanguages, name, this.languages * this.units);
    const n = values.length / this.languages;
    for (let k = 0; k < this.languages; k++) {
      target.set(values.subarray(k * n, (k + 1) * n), k * this.units + start);
    }
  }
}

function filled<N extends string>(arrays: Map<N, Numbers>, name: N, length: number): Numbers {
  let array = arrays.get(name);
  if (array === undefined) {
    array = new (SINGLE.test(name) ? Float32Array : Float64Array)(length).fill(Number.NaN);
    arrays.set(name, array);
  }
  return array;
}
