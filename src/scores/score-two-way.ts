import { jackknifeUnits } from '../stats/jackknife.js';
import { type ItemBlock, rowReader } from '../store/open-run.js';
import type { PooledGrid } from './pooled-grid.js';
import type { UnitArray } from './score-arrays.js';
import type { HalfScoreName, PieceHalves } from './scored-piece.js';
import { pickUnits, type TwoWaySums, twoWay, twoWaySums } from './two-way.js';
import { vectorShare } from './vector-share.js';

type Arrays = Partial<Record<UnitArray, Float64Array>>;
/** Column, its name among half scores, its range. */
type Effect = readonly [
  name: UnitArray,
  half: HalfScoreName,
  range: { readonly min?: number; readonly max: number },
];

const SHARE = { min: 0, max: 1 };
const TWO_WAY: readonly Effect[] = [
  ['eta2_language', 'eta2Language', SHARE],
  ['eta2_item', 'eta2Item', SHARE],
  ['omega2_language', 'omega2Language', { max: 1 }],
  ['omega2_item', 'omega2Item', { max: 1 }],
];
const VECTOR_SHARE: readonly Effect[] = [
  ['vector_share_language', 'vectorShareLanguage', SHARE],
  ['vector_share_item', 'vectorShareItem', SHARE],
];

/** Two-way decomposition of a block of units, with jackknife intervals; [unit of the block] each. */
export function scoreTwoWay(block: ItemBlock, grid: PooledGrid, halves: PieceHalves): Arrays {
  return effects(block, grid, TWO_WAY, halves, (sums, chosen) => {
    const { eta2Language, eta2Item, omega2Language, omega2Item } = twoWay(sums, chosen);
    return [eta2Language, eta2Item, omega2Language, omega2Item];
  });
}

/** Shares of variance of the vectors of a block of heads, likewise. */
export function scoreVectorShare(block: ItemBlock, grid: PooledGrid, halves: PieceHalves): Arrays {
  return effects(block, grid, VECTOR_SHARE, halves, (sums, chosen, size) => {
    const { language, item } = vectorShare(sums, size, chosen);
    return [language, item];
  });
}

/** All of the block's columns are units: of a vector, each dimension. */
function sumsOf(block: ItemBlock, { languages, folds, items, complete, foldOf }: PooledGrid): TwoWaySums {
  const rows = items * languages;
  const readRow = rowReader(block, rows);
  const shape = { folds, languages, units: block.values.length / rows };
  return twoWaySums((item, k) => readRow(item * languages + k), complete, foldOf, shape);
}

/**
 * Bootstrap draws of sums of squares are biased by as much as an interval near zero is wide, since items drawn twice
 * repeat their noise; the jackknife over folds is not.
 */
function effects(
  block: ItemBlock,
  grid: PooledGrid,
  named: readonly Effect[],
  halves: PieceHalves,
  compute: (sums: TwoWaySums, folds: readonly number[] | undefined, size: number) => readonly Float64Array[],
): Arrays {
  const { unitStart, unitEnd } = block;
  const sums = sumsOf(block, grid);
  /** Columns of a unit. */
  const size = sums.units / (unitEnd - unitStart);
  const folds = [...sums.items.keys()].filter((fold) => sums.items[fold]! > 0);
  const whole = compute(sums, undefined, size);
  const replicates = folds.map((left) =>
    compute(
      sums,
      folds.filter((fold) => fold !== left),
      size,
    ),
  );
  const arrays: Arrays = {};
  for (const [i, [name, , range]] of named.entries()) {
    const { value, se, low, high } = jackknifeUnits(
      whole[i]!,
      replicates.map((replicate) => replicate[i]!),
      range,
    );
    Object.assign(arrays, {
      [name]: value,
      [`${name}_se`]: se,
      [`${name}_low`]: low,
      [`${name}_high`]: high,
    });
  }
  // All effects of a kind have the same sample.
  const half = halves.get(named[0]![1]);
  if (half === undefined) return arrays;
  const [position, end] = half.within(unitStart, unitEnd);
  const columns = Array.from(half.sample.subarray(position, end)).flatMap((unit) =>
    Array.from({ length: size }, (_, d) => (unit - unitStart) * size + d),
  );
  const sampled = pickUnits(sums, columns);
  half.splits.forEach(({ first, second }, split) => {
    [first, second].forEach((chosen, side) => {
      const part = compute(sampled, chosen, size);
      for (const [i, [, name]] of named.entries()) {
        halves.get(name)?.setSampled(split, side, position, part[i]!);
      }
    });
  });
  return arrays;
}
