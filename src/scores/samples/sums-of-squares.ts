import { type FoldShape, pickColumns } from '../../store/index.js';

/**
 * Sums from which the two-way decomposition of any union of folds follows: pooled values x of items that every
 * language has, each unit's values centred by one of them (`shift`), so that nothing is lost by cancellation and a
 * constant unit is exactly zero. Arrays have units last.
 */
export interface TwoWaySums extends FoldShape {
  /** [fold]: complete items. */
  readonly items: Float64Array;
  /** [fold, language, unit]: Σ_i x. */
  readonly sum: Float64Array;
  /** [fold, unit]: Σ_i (mean over languages of x)². */
  readonly itemSquare: Float64Array;
  /** [fold, unit]: Σ_i Σ_k x². */
  readonly square: Float64Array;
}

/** Sums of squares of a two-way layout without replication; arrays are [unit], in squared units of x. */
export interface SumsOfSquares {
  /** Complete items N. */
  readonly items: number;
  readonly languages: number;
  readonly total: Float64Array;
  readonly language: Float64Array;
  readonly item: Float64Array;
}

/**
 * Walks the pooled values once.
 *
 * @param row Returns the values [unit] of an item in a language; it may reuse its array. Called for complete items
 *   only, item by item, languages in order.
 * @param complete Indices of the items that every language has.
 * @param foldOf [item].
 */
export function twoWaySums(
  row: (item: number, language: number) => ArrayLike<number>,
  complete: ArrayLike<number>,
  foldOf: ArrayLike<number>,
  shape: FoldShape,
): TwoWaySums {
  const { folds, languages, units } = shape;
  const items = new Float64Array(folds);
  const sum = new Float64Array(folds * languages * units);
  const itemSquare = new Float64Array(folds * units);
  const square = new Float64Array(folds * units);
  const shift = new Float64Array(units);
  // [language, unit] of an item, so that a unit's cells are added up while its sums are at hand.
  const cells = new Float64Array(languages * units);
  for (let n = 0; n < complete.length; n++) {
    const item = complete[n]!;
    const fold = foldOf[item]!;
    items[fold]! += 1;
    for (let k = 0; k < languages; k++) cells.set(row(item, k), k * units);
    if (n === 0) shift.set(cells.subarray(0, units));
    const sumStart = fold * languages * units;
    for (let u = 0; u < units; u++) {
      const from = shift[u]!;
      let squares = square[fold * units + u]!;
      let itemSum = 0;
      for (let cell = u; cell < cells.length; cell += units) {
        const x = cells[cell]! - from;
        sum[sumStart + cell]! += x;
        squares += x * x;
        itemSum += x;
      }
      const mean = itemSum / languages;
      square[fold * units + u] = squares;
      itemSquare[fold * units + u]! += mean * mean;
    }
  }
  return { folds, languages, units, items, sum, itemSquare, square };
}

/** The sums of some units alone. */
export function pickUnits(sums: TwoWaySums, chosen: ArrayLike<number>): TwoWaySums {
  const pick = (values: Float64Array) => pickColumns(values, sums.units, chosen);
  return {
    ...sums,
    units: chosen.length,
    sum: pick(sums.sum),
    itemSquare: pick(sums.itemSquare),
    square: pick(sums.square),
  };
}

/**
 * SS_total = Σ x² − NK x̄², SS_language = N Σ_k x̄_k² − NK x̄², SS_item = K Σ_i x̄_i² − NK x̄², over the chosen folds
 * (default all). SS_rest is total − language − item.
 */
export function sumsOfSquares(sums: TwoWaySums, chosen?: readonly number[]): SumsOfSquares {
  const { folds, languages, units } = sums;
  const used = chosen ?? Array.from({ length: folds }, (_, f) => f);
  const total = new Float64Array(units);
  const language = new Float64Array(units);
  const item = new Float64Array(units);
  const grand = new Float64Array(units);
  const own = new Float64Array(units);
  let items = 0;
  for (const f of used) {
    items += sums.items[f]!;
    const at = f * units;
    for (let u = 0; u < units; u++) {
      total[u]! += sums.square[at + u]!;
      item[u]! += sums.itemSquare[at + u]!;
    }
  }
  for (let k = 0; k < languages; k++) {
    own.fill(0);
    for (const f of used) {
      const at = (f * languages + k) * units;
      for (let u = 0; u < units; u++) own[u]! += sums.sum[at + u]!;
    }
    for (let u = 0; u < units; u++) {
      grand[u]! += own[u]!;
      language[u]! += own[u]! * own[u]!;
    }
  }
  const cells = items * languages;
  for (let u = 0; u < units; u++) {
    const raw = total[u]!;
    const correction = (grand[u]! * grand[u]!) / cells;
    const within = raw - correction;
    // The shift is a value of the whole run; a subset that is constant elsewhere leaves only rounding here.
    const constant = within <= raw * cells * Number.EPSILON;
    total[u] = constant ? 0 : within;
    language[u] = constant ? 0 : Math.max(0, language[u]! / items - correction);
    item[u] = constant ? 0 : Math.max(0, item[u]! * languages - correction);
  }
  return { items, languages, total, language, item };
}
