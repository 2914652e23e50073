import { Argsort } from '../stats/argsort.js';
import type { FoldHalves } from '../stats/random-halves.js';

/** The prompts a ranking is over: one entry a prompt that has values. */
export interface RankedPrompts {
  /** [prompt]: index of the language, 0 … languages − 1. */
  readonly language: ArrayLike<number>;
  /** [prompt]: fold, 0 … folds − 1. */
  readonly fold: ArrayLike<number>;
  readonly languages: number;
  readonly folds: number;
}

/**
 * Average precision of a unit's values as a ranking of "is language k" against the rest: Σ_n (R_n − R_{n−1}) P_n over
 * the distinct values as thresholds, highest first, tied values one threshold (the definition of scikit-learn's
 * `average_precision_score`; used for language neurons by Kojima et al., NAACL 2024, with mean pooling and Cuadros
 * et al., ICML 2022, with max pooling). Range 0 … 1; chance is the share of prompts in k.
 *
 * A unit's values are sorted once. One walk down the ranking serves all languages, and one walk a split serves both
 * halves of the folds, since every prompt belongs to one language and to one half.
 */
export class AveragePrecision {
  readonly languages: number;
  readonly prompts: number;
  readonly #folds: number;
  /** [prompt]: fold · languages + language. */
  readonly #cell: Uint32Array;
  readonly #whole: Walk;
  readonly #halves: readonly Walk[];
  readonly #sort: Argsort;
  /** [rank]: cell of the prompt at that rank, highest value first. */
  readonly #ranked: Uint32Array;
  /** Rank one past each group of tied values. */
  readonly #ends: Uint32Array;
  #groups = 0;

  /** @param halves Splits for which `ofHalves` answers; default none. */
  constructor({ language, fold, languages, folds }: RankedPrompts, halves: readonly FoldHalves[] = []) {
    this.languages = languages;
    this.prompts = language.length;
    this.#folds = folds;
    this.#cell = Uint32Array.from({ length: this.prompts }, (_, n) => fold[n]! * languages + language[n]!);
    this.#whole = this.#walk([Array.from({ length: folds }, (_, f) => f)]);
    this.#halves = halves.map(({ first, second }) => this.#walk([first, second]));
    this.#sort = new Argsort(this.prompts);
    this.#ranked = new Uint32Array(this.prompts);
    this.#ends = new Uint32Array(this.prompts);
  }

  /** N_k / ΣN: what a value that knows nothing of language scores. [language]. */
  get chance(): Float64Array {
    return this.#whole.positives.map((count) => count / this.prompts);
  }

  /**
   * Sorts the values [prompt] of a unit. Returns false, and leaves the ranking of the last unit, if one is NaN.
   * Infinite values rank as such.
   */
  rank(values: Float32Array | Float64Array): boolean {
    const n = this.prompts;
    const order = this.#sort.order(values);
    // NaN sorts to the ends.
    if (Number.isNaN(values[order[0]!]!) || Number.isNaN(values[order[n - 1]!]!)) return false;
    const ranked = this.#ranked;
    const ends = this.#ends;
    const cell = this.#cell;
    let groups = 0;
    let threshold = values[order[n - 1]!]!;
    for (let i = 0; i < n; i++) {
      const prompt = order[n - 1 - i]!;
      ranked[i] = cell[prompt]!;
      if (values[prompt]! !== threshold) {
        ends[groups++] = i;
        threshold = values[prompt]!;
      }
    }
    ends[groups++] = n;
    this.#groups = groups;
    return true;
  }

  /** AP of the unit ranked last, [language]; NaN for a language without prompts. Written to `out` from `at` on. */
  ofAll(out: Float64Array | Float32Array, at = 0): void {
    walkDown(this.#whole, this.#ranked, this.#ends, this.#groups, out, at);
  }

  /**
   * AP of the unit ranked last within either half of split `split`: [half, language], written to `out` from `at` on.
   * Equal to ranking only that half's prompts.
   */
  ofHalves(split: number, out: Float64Array | Float32Array, at = 0): void {
    walkDown(this.#halves[split]!, this.#ranked, this.#ends, this.#groups, out, at);
  }

  #walk(parts: readonly (readonly number[])[]): Walk {
    const { languages } = this;
    // Prompts of folds in no part fall into a last part, which is not reported.
    const part = new Uint32Array(this.#folds).fill(parts.length);
    parts.forEach((folds, p) => {
      for (const fold of folds) part[fold] = p;
    });
    const partOf = new Uint32Array(this.#folds * languages);
    const positives = new Float64Array((parts.length + 1) * languages);
    for (let f = 0; f < this.#folds; f++) partOf.fill(part[f]!, f * languages, (f + 1) * languages);
    const classOf = partOf.map((p, cell) => p * languages + (cell % languages));
    for (const cell of this.#cell) positives[classOf[cell]!]! += 1;
    return {
      partOf,
      classOf,
      positives: positives.subarray(0, parts.length * languages),
      seen: new Float64Array(parts.length + 1),
      hits: new Float64Array(positives.length),
      precision: new Float64Array(positives.length),
    };
  }
}

/** One way of dividing the prompts into parts that are each ranked alone; a class is a part and a language. */
interface Walk {
  /** [cell]. */
  readonly partOf: Uint32Array;
  /** [cell]. */
  readonly classOf: Uint32Array;
  /** [class]: prompts. */
  readonly positives: Float64Array;
  /** [part]: prompts at or above the current threshold. */
  readonly seen: Float64Array;
  /** [class]: prompts at or above the current threshold. */
  readonly hits: Float64Array;
  /** [class]: Σ over those prompts of the precision at their threshold. */
  readonly precision: Float64Array;
}

function walkDown(
  { partOf, classOf, positives, seen, hits, precision }: Walk,
  ranked: Uint32Array,
  ends: Uint32Array,
  groups: number,
  out: Float64Array | Float32Array,
  at: number,
): void {
  seen.fill(0);
  hits.fill(0);
  precision.fill(0);
  let i = 0;
  for (let g = 0; g < groups; g++) {
    const end = ends[g]!;
    if (end === i + 1) {
      const cell = ranked[i]!;
      const own = classOf[cell]!;
      const part = partOf[cell]!;
      const all = seen[part]! + 1;
      const right = hits[own]! + 1;
      seen[part] = all;
      hits[own] = right;
      precision[own]! += right / all;
      i = end;
      continue;
    }
    for (let j = i; j < end; j++) {
      const cell = ranked[j]!;
      seen[partOf[cell]!]! += 1;
      hits[classOf[cell]!]! += 1;
    }
    for (; i < end; i++) {
      const cell = ranked[i]!;
      const own = classOf[cell]!;
      precision[own]! += hits[own]! / seen[partOf[cell]!]!;
    }
  }
  for (let c = 0; c < positives.length; c++)
    out[at + c] = positives[c]! > 0 ? precision[c]! / positives[c]! : Number.NaN;
}

/**
 * AP of one unit for every language, [language]; NaN values are left out, and a language without values has NaN.
 *
 * @param values [prompt].
 * @param language [prompt].
 */
export function averagePrecision(
  values: ArrayLike<number>,
  language: ArrayLike<number>,
  languages: number,
): Float64Array {
  const kept = Array.from({ length: values.length }, (_, n) => n).filter((n) => !Number.isNaN(values[n]!));
  const prompts = {
    language: kept.map((n) => language[n]!),
    fold: kept.map(() => 0),
    languages,
    folds: 1,
  };
  const precision = new AveragePrecision(prompts);
  const out = new Float64Array(languages);
  precision.rank(Float64Array.from(kept, (n) => values[n]!));
  precision.ofAll(out);
  return out;
}
