import { contrast } from '../scores/index.js';
import { Argsort } from '../stats/index.js';
import type { Scope, UnitLayer } from './layer-scores.js';
import { finiteOrNull } from './numbers.js';
import type { RunTally } from './tally.js';
import type { HeadOverlap } from './types.js';

/** Share of all heads that are called a language's top heads (SCORES.md). */
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

/** Mean norms of a run's heads on every subset of the folds, filled while its layers pass by. */
export class TopHeads {
  readonly #languages: number;
  readonly #heads: number;
  readonly #perLayer: number;
  /** [subset][language, head]. */
  readonly #norms: readonly Float64Array[];

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

  /** Hands the mean overlaps to the run's tallies [scope]. */
  overlaps(tallies: readonly RunTally[], scopes: readonly Scope[]): void {
    const norm = this.#means('norm', scopes);
    const contrast = this.#means('contrast', scopes);
    for (const [scope, tally] of tallies.entries()) {
      tally.headOverlap = norm[scope]!;
      tally.headOverlapContrast = contrast[scope]!;
    }
  }

  /** Mean overlap over the pairs of a scope's languages, [scope][subset]; NaN with one language. */
  #means(kind: 'norm' | 'contrast', scopes: readonly Scope[]): Float64Array[] {
    const overlaps = this.#norms.map((_, subset) => this.#overlap(kind, subset));
    return scopes.map(({ languages: own }) =>
      Float64Array.from(overlaps, (overlap) => {
        let sum = 0;
        let pairs = 0;
        for (const [i, a] of own.entries()) {
          for (const b of own.slice(i + 1)) {
            sum += overlap[a * this.#languages + b]!;
            pairs++;
          }
        }
        return pairs === 0 ? Number.NaN : sum / pairs;
      }),
    );
  }

  finish(label: string): HeadOverlap {
    const matrix = (kind: 'norm' | 'contrast') => {
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

  #overlap(kind: 'norm' | 'contrast', subset: number): Float64Array {
    const norms = this.#norms[subset]!;
    return headOverlap(kind === 'norm' ? norms : contrast(norms, this.#languages), this.#languages);
  }
}
