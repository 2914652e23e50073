import { type DotProducts, openDotProducts } from '../../runtime/index.js';

/** How well the items of two languages find each other. NaN: fewer than two items. */
export interface Alignment {
  /** Items that both languages have: each is the candidate of every other. */
  readonly items: number;
  /** Mean cosine of an item with itself in the other language, and with the other items there. */
  readonly same: number;
  readonly different: number;
  /** same − different. */
  readonly margin: number;
  /** Share of items retrieved, 0 … 1; 1/(2 items − 1) is expected where all cosines are exchangeable. */
  readonly mexa: number;
}

/** The sums that the alignment of two languages is made of. They add up over folds. */
export interface AlignmentSums {
  readonly folds: number;
  /** [item that both languages have]: its fold. */
  readonly foldOf: Uint32Array;
  /** [fold]: Σ cos(a_i, b_i) over the fold's items. */
  readonly same: Float64Array;
  /** [fold, fold]: Σ cos(a_i, b_j) over i of the first and j of the second, i = j included. */
  readonly all: Float64Array;
  /** [item, word]: bit g % 32 of word g / 32 is set if some other item j of fold g has cos(a_i, b_j) or cos(a_j, b_i) ≥ cos(a_i, b_i). */
  readonly lost: Uint32Array;
}

/**
 * Alignment of two languages on parallel vectors. Margin: mean cosine of the same item less that of different ones.
 * MEXA (Kargaran et al., Findings of ACL 2025, arXiv 2410.05873): the share of items i whose cos(a_i, b_i) strictly
 * exceeds every other cos(a_i, b_j) and cos(a_j, b_i); a tie is not retrieved. Kargaran et al. pool tokens weighted by
 * position, or take the last token; what is pooled here is the caller's choice.
 *
 * @param a float32 [item, dimension]; NaN where the language lacks the item. Items that one language lacks, or whose
 *   vector is zero and has no direction, are left out.
 */
export async function alignment(a: Float32Array, b: Float32Array, dimension: number): Promise<Alignment> {
  const products = await openDotProducts(dimension);
  try {
    const [from, to] = [unitVectors(a.slice(), dimension), unitVectors(b.slice(), dimension)];
    return alignmentOver(await alignmentSums(from, to, new Uint32Array(from.present.length), 1, products));
  } finally {
    await products.release();
  }
}

/** Computes alignment from `sums` over the items of the chosen folds alone, as candidates too. Default: all folds. */
export function alignmentOver(
  { folds, foldOf, same, all, lost }: AlignmentSums,
  chosen: readonly number[] = Array.from({ length: folds }, (_, fold) => fold),
): Alignment {
  const words = wordsOf(folds);
  const mask = new Uint32Array(words);
  for (const fold of chosen) mask[fold >> 5]! |= 1 << (fold & 31);
  let items = 0;
  let retrieved = 0;
  for (let i = 0; i < foldOf.length; i++) {
    const fold = foldOf[i]!;
    if ((mask[fold >> 5]! & (1 << (fold & 31))) === 0) continue;
    items++;
    let against = 0;
    for (let w = 0; w < words; w++) against |= lost[i * words + w]! & mask[w]!;
    if (against === 0) retrieved++;
  }
  if (items < 2) {
    return { items, same: Number.NaN, different: Number.NaN, margin: Number.NaN, mexa: Number.NaN };
  }
  let own = 0;
  let every = 0;
  for (const f of chosen) {
    own += same[f]!;
    for (const g of chosen) every += all[f * folds + g]!;
  }
  const ofSame = own / items;
  const ofDifferent = (every - own) / (items * (items - 1));
  return {
    items,
    same: ofSame,
    different: ofDifferent,
    margin: ofSame - ofDifferent,
    mexa: retrieved / items,
  };
}

/** Operations of one matrix product: some 50 ms on two cores, since the event loop waits for it. */
const PRODUCT_OPERATIONS = 5e9;

/**
 * Relative to √dimension · 2⁻²⁴, how far apart two float32 cosines must be to be in order (rounding errors of a dot product grow
 * with its root: Higham & Mary, 2019). Closer ones are computed again in float64, so that the number of threads, or the
 * processor, changes no answer.
 */
const NEAR = 4;

/**
 * The margin needs sums of vectors alone; retrieval needs every cosine, but of each only whether it reaches those of the
 * two items themselves.
 *
 * @param foldOf [item] fold of each item of `a` and `b`.
 */
export async function alignmentSums(
  a: UnitVectors,
  b: UnitVectors,
  foldOf: Uint32Array,
  folds: number,
  products: DotProducts,
): Promise<AlignmentSums> {
  const { dimension } = a;
  const count = a.present.length;
  const words = wordsOf(folds);
  const cosine = new Float64Array(count);
  // Without a vector an item loses against nobody …
  const threshold = new Float64Array(count).fill(Number.POSITIVE_INFINITY);
  const near = NEAR * Math.sqrt(dimension) * 2 ** -24;
  const items: number[] = [];
  for (let i = 0; i < count; i++) {
    if (a.present[i] === 0 || b.present[i] === 0) continue;
    items.push(i);
    cosine[i] = dot(a.values, i, b.values, i, dimension);
    threshold[i] = cosine[i]! - near;
  }
  const has = new Uint8Array(count);
  for (const i of items) has[i] = 1;

  const lost = new Uint32Array(count * words);
  const lose = (query: number, fold: number, product: number, i: number, j: number): void => {
    const word = query * words + (fold >> 5);
    const bit = 1 << (fold & 31);
    if ((lost[word]! & bit) !== 0) return;
    const beaten =
      product > cosine[query]! + near || dot(a.values, i, b.values, j, dimension) >= cosine[query]!;
    if (beaten) lost[word]! |= bit;
  };
  const rows = Math.max(1, Math.floor(PRODUCT_OPERATIONS / (2 * count * dimension)));
  for (let start = 0; start < count; start += rows) {
    const end = Math.min(count, start + rows);
    const block = await products.of(a.values.subarray(start * dimension, end * dimension), b.values);
    for (let i = start; i < end; i++) {
      if (has[i] === 0) continue;
      const ofItem = threshold[i]!;
      const row = (i - start) * count;
      for (let j = 0; j < count; j++) {
        const product = block[row + j]!;
        if (product <= ofItem && product <= threshold[j]!) continue;
        // … and nobody against it.
        if (i === j || has[j] === 0) continue;
        if (product > ofItem) lose(i, foldOf[j]!, product, i, j);
        if (product > threshold[j]!) lose(j, foldOf[i]!, product, i, j);
      }
    }
    // Lets signals and timers in.
    await new Promise((resolve) => setImmediate(resolve));
  }

  const same = new Float64Array(folds);
  for (const i of items) same[foldOf[i]!]! += cosine[i]!;
  const sumsA = foldSums(a, items, foldOf, folds);
  const sumsB = foldSums(b, items, foldOf, folds);
  const all = new Float64Array(folds * folds);
  for (let f = 0; f < folds; f++) {
    for (let g = 0; g < folds; g++) all[f * folds + g] = dot(sumsA, f, sumsB, g, dimension);
  }
  return {
    folds,
    foldOf: Uint32Array.from(items, (i) => foldOf[i]!),
    same,
    all,
    lost: Uint32Array.from(
      { length: items.length * words },
      (_, at) => lost[items[Math.floor(at / words)]! * words + (at % words)]!,
    ),
  };
}

/** 32 folds a word. */
function wordsOf(folds: number): number {
  return (folds + 31) >> 5;
}

/** [fold, dimension]: Σ of the vectors of the fold's items. */
function foldSums(
  { values, dimension }: UnitVectors,
  items: readonly number[],
  foldOf: Uint32Array,
  folds: number,
): Float64Array {
  const sums = new Float64Array(folds * dimension);
  for (const i of items) {
    const to = foldOf[i]! * dimension;
    for (let d = 0; d < dimension; d++) sums[to + d]! += values[i * dimension + d]!;
  }
  return sums;
}

/** Row i of `a` times row j of `b`, in float64. */
function dot(
  a: Float32Array | Float64Array,
  i: number,
  b: Float32Array | Float64Array,
  j: number,
  dimension: number,
): number {
  let sum = 0;
  for (let d = 0; d < dimension; d++) sum += a[i * dimension + d]! * b[j * dimension + d]!;
  return sum;
}

/** Vectors of the items of one language, of length 1. */
export interface UnitVectors {
  readonly dimension: number;
  /** float32 [item, dimension]; zeros where there is no direction. */
  readonly values: Float32Array;
  /** [item]: 1 if it has a direction. */
  readonly present: Uint8Array;
  /** [item]: 1 if its vector is zero, which has none. */
  readonly zero: Uint8Array;
}

/** Divides the rows of [item, dimension] by their length, in place; rows with NaN are missing. */
export function unitVectors(values: Float32Array, dimension: number): UnitVectors {
  const items = values.length / dimension;
  const present = new Uint8Array(items);
  const zero = new Uint8Array(items);
  for (let i = 0; i < items; i++) {
    const row = values.subarray(i * dimension, (i + 1) * dimension);
    let square = 0;
    for (let d = 0; d < dimension; d++) square += row[d]! * row[d]!;
    if (square > 0) {
      const length = Math.sqrt(square);
      for (let d = 0; d < dimension; d++) row[d] = row[d]! / length;
      present[i] = 1;
    } else {
      if (square === 0) zero[i] = 1;
      row.fill(0);
    }
  }
  return { dimension, values, present, zero };
}
