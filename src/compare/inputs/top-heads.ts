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
  return overlapOf(topOf(values, languages));
}

/** Top heads of a language; null where one of its values is NaN. */
type Top = ReadonlySet<number> | null;

/** [language]: the `topCount` heads of highest value; of equal values the earlier head ranks higher. */
function topOf(values: Float64Array, languages: number): Top[] {
  const heads = values.length / languages;
  const argsort = new Argsort(heads);
  return Array.from({ length: languages }, (_, k) => {
    const own = values.subarray(k * heads, (k + 1) * heads);
    if (own.some(Number.isNaN)) return null;
    return new Set(argsort.order(own.map((value) => -value)).slice(0, topCount(heads)));
  });
}

/** [language, language] of one run. */
function overlapOf(top: readonly Top[]): Float64Array {
  return Float64Array.from(top.flatMap((ofA) => top.map((ofB) => shareInBoth(ofA, ofB))));
}

/** |A ∩ B|/|A| of two sets of one size; NaN where either is unknown. */
function shareInBoth(a: Top, b: Top): number {
  if (a === null || b === null) return Number.NaN;
  let both = 0;
  for (const head of a) if (b.has(head)) both++;
  return both / a.size;
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
  /** What every interval and floor asks for again, and so is kept. */
  readonly #tops: (readonly Top[])[] = [];
  readonly #overlaps: Readonly<Record<OverlapBy, Float64Array[]>> = { norm: [], contrast: [] };

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

  /**
   * Share of a language's top heads by norm that are top heads of the same language in another run, mean over some
   * languages; NaN where one of them has no top heads in either.
   */
  shareKept(subset: number, other: TopHeads, otherSubset: number, languages: readonly number[]): number {
    const [own, others] = [this.#top(subset), other.#top(otherSubset)];
    const sum = languages.reduce((total, k) => total + shareInBoth(own[k]!, others[k]!), 0);
    return sum / languages.length;
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

  #top(subset: number): readonly Top[] {
    this.#tops[subset] ??= topOf(this.#norms[subset]!, this.#languages);
    return this.#tops[subset];
  }

  #overlap(by: OverlapBy, subset: number): Float64Array {
    this.#overlaps[by][subset] ??=
      by === 'norm'
        ? overlapOf(this.#top(subset))
        : headOverlap(contrast(this.#norms[subset]!, this.#languages), this.#languages);
    return this.#overlaps[by][subset];
  }
}
