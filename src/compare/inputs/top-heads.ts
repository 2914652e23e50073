import { contrast } from '../../scores/index.js';
import { Argsort } from '../../stats/index.js';
import type { HeadOverlap } from '../comparison.js';
import { finiteOrNull } from '../numbers.js';
import type { UnitLayer } from './layer-scores.js';

/** Share of all heads that are called a language's top heads (docs/scores.md). */
const TOP_SHARE = 0.02;

/** 2 % of the heads, at least one. */
export function topCount(heads: number): number {
  return Math.max(1, Math.round(TOP_SHARE * heads));
}

/**
 * |top-n(a) ∩ top-n(b)|/n of every two languages, n = `topCount` of the heads.
 *
 * @param values [language, head], over all layers; of equal values the earlier head ranks higher.
 * @returns [language, language]; NaN where a language has a value that is NaN.
 */
export function headOverlap(values: Float64Array, languages: number): Float64Array {
  const heads = values.length / languages;
  const n = topCount(heads);
  const argsort = new Argsort(heads);
  const top = Array.from({ length: languages }, (_, k) => {
    const own = values.subarray(k * heads, (k + 1) * heads);
    if (own.some(Number.isNaN)) return null;
    return new Set(argsort.order(own.map((value) => -value)).slice(0, n));
  });
  const overlap = new Float64Array(languages * languages).fill(Number.NaN);
  for (const [a, ofA] of top.entries()) {
    for (const [b, ofB] of top.entries()) {
      if (ofA === null || ofB === null) continue;
      let both = 0;
      for (const head of ofA) if (ofB.has(head)) both++;
      overlap[a * languages + b] = both / n;
    }
  }
  return overlap;
}

/** By what heads are ranked: the mean norm of their contribution, or that norm minus its mean over the other languages. */
type OverlapBy = 'norm' | 'contrast';

/** Mean norms of a run's heads on every subset of the folds, filled while its layers pass by. */
export class TopHeads {
  readonly #languages: number;
  readonly #heads: number;
  readonly #perLayer: number;
  /** [subset][language, head]. */
  readonly #norms: readonly Float64Array[];
  readonly #overlaps: Readonly<Record<OverlapBy, Map<number, Float64Array>>> = {
    norm: new Map(),
    contrast: new Map(),
  };

  constructor(subsets: number, languages: number, layers: number, perLayer: number) {
    this.#languages = languages;
    this.#perLayer = perLayer;
    this.#heads = layers * perLayer;
    this.#norms = Array.from({ length: subsets }, () => new Float64Array(languages * this.#heads));
  }

  /** `rates` is [language, head] of heads unitStart, unitStart + 1, … of the layer. */
  add(
    subset: number,
    { layer, unitStart }: Pick<UnitLayer, 'layer' | 'unitStart'>,
    rates: Float64Array,
  ): void {
    const heads = rates.length / this.#languages;
    for (let k = 0; k < this.#languages; k++) {
      const own = rates.subarray(k * heads, (k + 1) * heads);
      this.#norms[subset]!.set(own, k * this.#heads + layer * this.#perLayer + unitStart);
    }
  }

  /** Mean overlap of the top heads of every two of some languages; NaN with fewer than two. */
  meanOverlap(by: OverlapBy, subset: number, languages: readonly number[]): number {
    const overlap = this.#overlap(by, subset);
    let sum = 0;
    let pairs = 0;
    for (const [i, a] of languages.entries()) {
      for (const b of languages.slice(i + 1)) {
        sum += overlap[a * this.#languages + b]!;
        pairs++;
      }
    }
    return pairs === 0 ? Number.NaN : sum / pairs;
  }

  finish(label: string): HeadOverlap {
    const matrix = (kind: OverlapBy) => {
      const overlap = this.#overlap(kind, 0);
      return Array.from({ length: this.#languages }, (_, a) =>
        Array.from(overlap.subarray(a * this.#languages, (a + 1) * this.#languages), finiteOrNull),
      );
    };
    return {
      label,
      n: topCount(this.#heads),
      heads: this.#heads,
      norm: matrix('norm'),
      contrast: matrix('contrast'),
    };
  }

  /** Asked for again for every interval and floor, and so kept. */
  #overlap(by: OverlapBy, subset: number): Float64Array {
    const known = this.#overlaps[by].get(subset);
    if (known !== undefined) return known;
    const norms = this.#norms[subset]!;
    const overlap = headOverlap(by === 'norm' ? norms : contrast(norms, this.#languages), this.#languages);
    this.#overlaps[by].set(subset, overlap);
    return overlap;
  }
}
