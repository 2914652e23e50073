import { Random } from '../sampling/random.js';

/**
 * What becomes of the statistic where all labels are swapped. It `negates` if it is a difference and treats both runs
 * alike, is the `same` if it is a distance that does, and `neither` where one run is the reference.
 */
export type Complement = 'negates' | 'same' | 'neither';

export type Alternative = 'two-sided' | 'less' | 'greater';

/** Arrangements of two labels over blocks (items, folds, clusters). */
export interface ExchangeMasks {
  /** [arrangement]: uint8 [block], 1 where the two runs are swapped. The first swaps nothing: it is what was observed. */
  readonly masks: readonly Uint8Array[];
  /** Every arrangement is there once; else the others are random draws. */
  readonly exact: boolean;
}

export interface ExchangeMaskOptions {
  /** Level that the p-value is judged at. Default 0.05. */
  readonly level?: number;
  /** Tests that p is corrected for: the least p, of two sides, is then at most the level's share. Default 1. */
  readonly tests?: number;
  readonly complement?: Complement;
  readonly seed: number;
}

/**
 * Draws that may be as extreme as the observed value before p exceeds the level. A p-value at the level then has a
 * Monte-Carlo error of about a fifth of it (Davison & Hinkley, Bootstrap Methods, 1997, 4.2.5, ask for no fewer).
 */
const EXTREME_DRAWS = 20;

/** Monte-Carlo draws that a test at a level needs, and one of a family of tests, whose p may have to double a tail. */
export function drawsOfLevel(level: number, tests = 1, complement: Complement = 'neither'): number {
  const tails = complement === 'neither' ? 2 : 1;
  return Math.ceil(Math.max(EXTREME_DRAWS, tails * tests) / level) - 1;
}

/** All arrangements if they are no more than the draws that the level needs, else so many random ones. */
export function exchangeMasks(
  blocks: number,
  { level = 0.05, tests = 1, complement = 'neither', seed }: ExchangeMaskOptions,
): ExchangeMasks {
  const draws = drawsOfLevel(level, tests, complement);
  // Where the complement says the same again, the first block need never be swapped.
  const free = complement === 'neither' ? blocks : blocks - 1;
  if (free < 31 && 2 ** free <= draws + 1) {
    const masks = Array.from({ length: 2 ** Math.max(0, free) }, (_, bits) =>
      Uint8Array.from({ length: blocks }, (_, block) => (bits >> (blocks - 1 - block)) & 1),
    );
    return { masks, exact: true };
  }
  const random = new Random(seed);
  const drawn = Array.from({ length: draws }, () =>
    Uint8Array.from({ length: blocks }, () => random.integer(2)),
  );
  return { masks: [new Uint8Array(blocks), ...drawn], exact: false };
}

/** Differences of values that are equal but for the order of additions. */
const ROUNDING = 1e-12;

/**
 * The p-value of an exchange test (Fisher, 1935; Pitman, 1937): the share of arrangements whose statistic is as extreme as
 * the first one's, which is the observed. Arrangements that were drawn count as (1 + b)/(1 + m) (Phipson & Smyth, 2010),
 * so p is never 0.
 *
 * `two-sided` doubles the smaller of the two tails where a reference makes the statistic lean to one side: with all labels
 * swapped the other run is the reference, and sizes on the two sides are not of one scale. Where the complement negates the
 * statistic, both tails are one.
 *
 * An arrangement whose statistic cannot be computed (NaN) counts as extreme, which makes p larger, never smaller.
 *
 * @param statistics [arrangement], in the order of the masks.
 * @returns NaN if the observed value is NaN.
 */
export function exchangePValue(
  statistics: ArrayLike<number>,
  alternative: Alternative = 'two-sided',
  complement: Complement = 'neither',
): number {
  const observed = statistics[0]!;
  if (Number.isNaN(observed)) return Number.NaN;
  if (alternative !== 'two-sided')
    return tailOf(statistics, alternative === 'greater' ? 1 : -1, (value) => value);
  if (complement === 'negates') return tailOf(statistics, 1, Math.abs);
  const tails = ([1, -1] as const).map((sign) => tailOf(statistics, sign, (value) => value));
  return Math.min(1, 2 * Math.min(...tails));
}

/** Share of the statistics that are as far out as the first, above (1) or below (−1). */
function tailOf(statistics: ArrayLike<number>, sign: 1 | -1, size: (value: number) => number): number {
  const observed = sign * size(statistics[0]!);
  const bar = observed - ROUNDING * Math.max(1, Math.abs(observed));
  let extreme = 0;
  for (let n = 0; n < statistics.length; n++) {
    if (!(sign * size(statistics[n]!) < bar)) extreme++;
  }
  return extreme / statistics.length;
}

export interface ExchangeTest {
  readonly value: number;
  /** Never 0; NaN if the statistic cannot be computed. */
  readonly p: number;
  /** Arrangements that were looked at, the observed one among them. */
  readonly arrangements: number;
  readonly exact: boolean;
}

/**
 * Tests whether two runs over the same blocks are exchangeable: a model's measurements of a block would then be as likely
 * with the labels of the two runs swapped. What is swapped is what the claim generalises over: items, folds of
 * items, or clusters of them.
 *
 * @param statistic Of the two pseudo-runs that a mask makes; it computes anew whatever depends on them, a cut too.
 */
export function exchangeTest(
  blocks: number,
  statistic: (swapped: Uint8Array) => number,
  {
    alternative = 'two-sided',
    ...options
  }: ExchangeMaskOptions & { readonly alternative?: Alternative | undefined },
): ExchangeTest {
  const { masks, exact } = exchangeMasks(blocks, options);
  const statistics = Float64Array.from(masks, statistic);
  // Half of the arrangements stand for all where the complement negates the statistic, but of |T| alone.
  const p = oneSidedByHalves(statistics, exact, alternative, options.complement);
  return { value: statistics[0]!, p, arrangements: statistics.length, exact };
}

function oneSidedByHalves(
  statistics: Float64Array,
  exact: boolean,
  alternative: Alternative,
  complement: Complement = 'neither',
): number {
  const isHalf = exact && complement === 'negates' && alternative !== 'two-sided';
  const all = isHalf ? [...statistics, ...statistics.map((value) => -value)] : statistics;
  return exchangePValue(all, alternative, complement);
}

/** Two runs' sums over blocks, [block, value], and what exchange makes of them. */
export class ExchangedSums {
  readonly #first: Float64Array;
  readonly #both: Float64Array;
  /** [block, value]: second − first. */
  readonly #difference: Float64Array;
  readonly #width: number;

  /** @param first [block, value], as is `second`; `width` values a block. */
  constructor(first: Float64Array, second: Float64Array, width: number) {
    this.#width = width;
    this.#difference = first.map((value, at) => second[at]! - value);
    this.#first = sumOfBlocks(first, width);
    const other = sumOfBlocks(second, width);
    this.#both = this.#first.map((value, at) => value + other[at]!);
  }

  /**
   * The sums of the two pseudo-runs: the first has the blocks of the first run where the mask is 0, of the second where it
   * is 1. Only swapped blocks are added, and of those that are swapped and not the fewer. Arrays are [value], overwritten.
   */
  pseudoRuns(swapped: Uint8Array, first: Float64Array, second: Float64Array): void {
    let count = 0;
    for (const one of swapped) count += one;
    const adds = 2 * count <= swapped.length;
    // With most of the blocks swapped, the second pseudo-run is the first run but for the others.
    const near = adds ? first : second;
    const far = adds ? second : first;
    near.set(this.#first);
    const width = this.#width;
    for (let block = 0; block < swapped.length; block++) {
      if ((swapped[block] === 1) !== adds) continue;
      const start = block * width;
      for (let at = 0; at < width; at++) near[at]! += this.#difference[start + at]!;
    }
    for (let at = 0; at < width; at++) far[at] = this.#both[at]! - near[at]!;
  }
}

function sumOfBlocks(sums: Float64Array, width: number): Float64Array {
  const total = new Float64Array(width);
  for (let at = 0; at < sums.length; at++) total[at % width]! += sums[at]!;
  return total;
}
