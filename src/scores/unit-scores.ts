import type { UnitType } from './types.js';

/** What is kept of every unit of a type while a run is scored: some dozens of numbers each. Units run layer by layer. */
export class UnitScores {
  readonly type: UnitType;
  readonly layers: number;
  /** Units in a layer. */
  readonly width: number;
  readonly languages: number;
  /** layers × width */
  readonly units: number;

  /** [language, unit]: firing rate (neurons) or mean contribution norm (heads). */
  readonly rate: Float64Array;
  /** [language, unit]: mean over counted tokens of hook_post (neurons) or of the norm (heads). */
  readonly mean: Float64Array;
  /** [language, unit] */
  readonly ap: Float64Array;

  // [unit] each.
  readonly lape: Float64Array;
  readonly lapeSe: Float64Array;
  readonly lapeLow: Float64Array;
  readonly lapeHigh: Float64Array;
  readonly eta2Language: Float64Array;
  readonly eta2Item: Float64Array;
  readonly omega2Language: Float64Array;
  readonly omega2Item: Float64Array;
  readonly vectorShareLanguage: Float64Array;
  readonly vectorShareItem: Float64Array;

  constructor(type: UnitType, layers: number, width: number, languages: number) {
    this.type = type;
    this.layers = layers;
    this.width = width;
    this.languages = languages;
    this.units = layers * width;
    const perLanguage = () => new Float64Array(languages * this.units).fill(Number.NaN);
    const perUnit = () => new Float64Array(this.units).fill(Number.NaN);
    this.rate = perLanguage();
    this.mean = perLanguage();
    this.ap = perLanguage();
    this.lape = perUnit();
    this.lapeSe = perUnit();
    this.lapeLow = perUnit();
    this.lapeHigh = perUnit();
    this.eta2Language = perUnit();
    this.eta2Item = perUnit();
    this.omega2Language = perUnit();
    this.omega2Item = perUnit();
    this.vectorShareLanguage = perUnit();
    this.vectorShareItem = perUnit();
  }

  /** Copies [language, n] values of units start … start + n − 1 into a [language, unit] array. */
  setLanguages(target: Float64Array, start: number, values: Float64Array): void {
    const n = values.length / this.languages;
    for (let k = 0; k < this.languages; k++) {
      target.set(values.subarray(k * n, (k + 1) * n), k * this.units + start);
    }
  }
}
