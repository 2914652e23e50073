import { type FoldHalves, meanOfPresent, spearman, spearmanBrown } from '../../stats/index.js';
import type { ReliabilityRow } from '../tables/summary.js';

/** [fold left out]: all the other folds. */
export function leavingEachOut(folds: readonly number[]): number[][] {
  return folds.map((left) => folds.filter((fold) => fold !== left));
}

/**
 * Scores of a sample of units on the halves of the folds, filled while a run is walked through layer by layer. A
 * score has one column, or one a language; units without a value in either half are left out of a correlation.
 */
export class HalfScores {
  readonly splits: readonly FoldHalves[];
  /** Ascending indices of the sampled units among all of their type. */
  readonly sample: Uint32Array;
  readonly columns: number;
  /** [split, half, column, sampled unit]; NaN until set. */
  readonly values: Float64Array;

  constructor(splits: readonly FoldHalves[], sample: Uint32Array, columns = 1) {
    this.splits = splits;
    this.sample = sample;
    this.columns = columns;
    this.values = new Float64Array(splits.length * 2 * columns * sample.length).fill(Number.NaN);
  }

  /** Positions in the sample of the units `unitStart` … `unitEnd − 1`: [first, one past the last]. */
  within(unitStart: number, unitEnd: number): readonly [number, number] {
    return [firstAtLeast(this.sample, unitStart), firstAtLeast(this.sample, unitEnd)];
  }

  set(split: number, half: number, column: number, position: number, value: number): void {
    this.values[((split * 2 + half) * this.columns + column) * this.sample.length + position] = value;
  }

  /** Calls for the folds of each half of each split. */
  eachHalf(use: (chosen: readonly number[], split: number, half: number) => void): void {
    for (const [split, { first, second }] of this.splits.entries()) {
      use(first, split, 0);
      use(second, split, 1);
    }
  }

  /** Takes over, for the sampled ones, the values [unit] of units unitStart, unitStart + 1, … */
  setUnits(split: number, half: number, unitStart: number, values: Float64Array): void {
    const [first, end] = this.within(unitStart, unitStart + values.length);
    for (let p = first; p < end; p++) this.set(split, half, 0, p, values[this.sample[p]! - unitStart]!);
  }

  /** Sets the values [column, n] of the sampled units at positions first … first + n − 1. */
  setSampled(split: number, half: number, first: number, values: Float64Array): void {
    const n = values.length / this.columns;
    for (let column = 0; column < this.columns; column++) {
      for (let p = 0; p < n; p++) this.set(split, half, column, first + p, values[column * n + p]!);
    }
  }

  /** Takes over what was gathered for the sampled units from position `first` on: `values` of a `HalfScores` of them alone. */
  take(first: number, values: Float64Array): void {
    const rows = this.splits.length * 2 * this.columns;
    const width = values.length / rows;
    for (let row = 0; row < rows; row++) {
      this.values.set(values.subarray(row * width, (row + 1) * width), row * this.sample.length + first);
    }
  }

  /** How well the score of half the data repeats on the other half: correlations by column, averaged. null: cannot be computed. */
  reliability(): Pick<ReliabilityRow, 'units' | 'halves' | 'stepUp'> {
    const units = this.sample.length;
    const correlations: number[] = [];
    for (let split = 0; split < this.splits.length; split++) {
      for (let column = 0; column < this.columns; column++) {
        correlations.push(spearman(this.#of(split, 0, column), this.#of(split, 1, column)));
      }
    }
    const halves = meanOfPresent(correlations);
    const stepUp = spearmanBrown(halves);
    return { units, halves: finiteOrNull(halves), stepUp: finiteOrNull(stepUp) };
  }

  #of(split: number, half: number, column: number): Float64Array {
    const at = ((split * 2 + half) * this.columns + column) * this.sample.length;
    return this.values.subarray(at, at + this.sample.length);
  }
}

function finiteOrNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

function firstAtLeast(sorted: Uint32Array, value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
