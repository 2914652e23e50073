import { Argsort, HALF_SORT_MOST, HalfSort } from '../../stats/index.js';
import { fromFloat16 } from '../../store/index.js';

/** Equal-count bins of a ranking, for mutual information (docs/scores.md). */
export const RANK_BINS = 16;

/** Prompts of a run, and how much each counts. */
export interface PromptSample {
  /** [prompt]: language; the observed ones, or permuted. */
  readonly labels: Uint8Array;
  /** [prompt]: how often it counts: 1, or 0 … n in a resample; the same for all prompts of an item. */
  readonly weights: Uint8Array;
  /** Σ over prompts of their weight. */
  readonly total: number;
}

/**
 * A unit's values sorted once and walked down as often as there are samples: whole, halves, resamples, permutations.
 * A walk gathers what average precision, AUROC and mutual information are made of, for all languages at once. Tied
 * values are one threshold and share their midrank.
 */
export class RankWalk {
  readonly languages: number;
  /** The weight of each language's prompts in the last walk, [language]. */
  readonly positives: Float64Array;
  /** [language]: Σ over its prompts of the precision at their threshold. */
  readonly precision: Float64Array;
  /** [language]: Σ over its prompts of their midrank, 1 for the highest value. */
  readonly rankSum: Float64Array;
  /** [bin, language]: weight; bin ⌊16 (midrank − ½) / total⌋, so that tied values share a bin. */
  readonly bins: Float64Array;
  /** [rank]: prompt, highest value first. */
  readonly #order: Uint32Array;
  /** Rank one past each group of tied values. */
  readonly #ends: Uint32Array;
  #groups = 0;
  #argsort: Argsort | null = null;
  #halfSort: HalfSort | null = null;

  constructor(prompts: number, languages: number) {
    this.languages = languages;
    this.positives = new Float64Array(languages);
    this.precision = new Float64Array(languages);
    this.rankSum = new Float64Array(languages);
    this.bins = new Float64Array(RANK_BINS * languages);
    this.#order = new Uint32Array(prompts);
    this.#ends = new Uint32Array(prompts);
  }

  /** Sorts the values [prompt] of a unit, none of them NaN; infinite values rank as such. Uint16Array: bits of float16. */
  rank(values: Uint16Array | Float32Array | Float64Array): void {
    if (values instanceof Uint16Array) {
      if (values.length <= HALF_SORT_MOST) this.#rankHalves(values);
      else this.rank(fromFloat16(values));
      return;
    }
    this.#argsort ??= new Argsort(values.length);
    const ascending = this.#argsort.order(values);
    const n = values.length;
    let groups = 0;
    let threshold = values[ascending[n - 1]!]!;
    for (let r = 0; r < n; r++) {
      const prompt = ascending[n - 1 - r]!;
      this.#order[r] = prompt;
      if (values[prompt]! !== threshold) {
        this.#ends[groups++] = r;
        threshold = values[prompt]!;
      }
    }
    this.#ends[groups++] = n;
    this.#groups = groups;
  }

  #rankHalves(bits: Uint16Array): void {
    this.#halfSort ??= new HalfSort(bits.length);
    const words = this.#halfSort.descending(bits);
    const order = this.#order;
    const ends = this.#ends;
    let groups = 0;
    let threshold = words[0]! >>> 16;
    for (let r = 0; r < bits.length; r++) {
      const key = words[r]! >>> 16;
      order[r] = words[r]! & 0xffff;
      // Written every time and kept if a group ends here: a branch would be guessed wrong half the time.
      ends[groups] = r;
      groups += Number(key !== threshold);
      threshold = key;
    }
    ends[groups++] = bits.length;
    this.#groups = groups;
  }

  /** Walks down the unit ranked last. `bins` is filled only `withBins`. */
  walk({ labels, weights, total }: PromptSample, withBins: boolean): void {
    const { languages } = this;
    const hits = this.positives.fill(0);
    const precision = this.precision.fill(0);
    const rankSum = this.rankSum.fill(0);
    const bins = this.bins;
    if (withBins) bins.fill(0);
    const order = this.#order;
    const ends = this.#ends;
    const groups = this.#groups;
    // (before + seen) / 2 is the midrank less ½; it never falls, so that a bin once left does not come back.
    const halfBins = RANK_BINS / 2;
    const lastBin = (RANK_BINS - 1) * languages;
    let bin = 0;
    let edge = total;
    let seen = 0;
    let r = 0;
    for (let g = 0; g < groups; g++) {
      const end = ends[g]!;
      const before = seen;
      if (end === r + 1) {
        const prompt = order[r]!;
        const weight = weights[prompt]!;
        const k = labels[prompt]!;
        seen += weight;
        const right = hits[k]! + weight;
        hits[k] = right;
        // A weight of 0 adds 0: to branch on it would be to guess wrong half the time in a half.
        if (seen > 0) {
          precision[k]! += (weight * right) / seen;
          rankSum[k]! += (weight * (before + seen + 1)) / 2;
          if (withBins) {
            while ((before + seen) * halfBins >= edge && bin < lastBin) {
              edge += total;
              bin += languages;
            }
            bins[bin + k]! += weight;
          }
        }
        r = end;
        continue;
      }
      for (let i = r; i < end; i++) {
        const prompt = order[i]!;
        const weight = weights[prompt]!;
        seen += weight;
        hits[labels[prompt]!]! += weight;
      }
      if (seen === before) {
        r = end;
        continue;
      }
      const midrank = (before + seen + 1) / 2;
      while ((before + seen) * halfBins >= edge && bin < lastBin) {
        edge += total;
        bin += languages;
      }
      for (; r < end; r++) {
        const prompt = order[r]!;
        const weight = weights[prompt]!;
        const k = labels[prompt]!;
        precision[k]! += (weight * hits[k]!) / seen;
        rankSum[k]! += weight * midrank;
        if (withBins) bins[bin + k]! += weight;
      }
    }
  }
}

/** Every prompt once, under its own language. */
export function wholeSample(labels: Uint8Array): PromptSample {
  return { labels, weights: new Uint8Array(labels.length).fill(1), total: labels.length };
}

/** One unit ranked and walked down, prompts without a value left out; null if none has one. */
export function walkedUnit(
  values: ArrayLike<number>,
  language: ArrayLike<number>,
  languages: number,
): RankWalk | null {
  const kept = Array.from({ length: values.length }, (_, n) => n).filter((n) => !Number.isNaN(values[n]!));
  if (kept.length === 0) return null;
  const walk = new RankWalk(kept.length, languages);
  walk.rank(Float64Array.from(kept, (n) => values[n]!));
  walk.walk(wholeSample(Uint8Array.from(kept, (n) => language[n]!)), true);
  return walk;
}

/** A score of walked units [language] as a function of the values [prompt] and languages [prompt] of one unit; NaN is left out. */
export function ofOneUnit(score: (walk: RankWalk, out: Float64Array) => void) {
  return (values: ArrayLike<number>, language: ArrayLike<number>, languages: number): Float64Array => {
    const out = new Float64Array(languages).fill(Number.NaN);
    const walk = walkedUnit(values, language, languages);
    if (walk !== null) score(walk, out);
    return out;
  };
}
