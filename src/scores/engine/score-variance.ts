import { type ItemBlock, type PooledGrid, rowReader } from '../../store/index.js';
import type { VarianceScore } from '../definition.js';
import { leavingEachOut } from '../samples/half-scores.js';
import { pickUnits, sumsOfSquares, type TwoWaySums, twoWaySums } from '../samples/sums-of-squares.js';
import { type Columns, type PieceHalves, setInterval } from './scored-piece.js';

/** Sums of a block's pooled values. All of its columns are units: of a vector, each dimension. */
export function blockSums(
  block: ItemBlock,
  { languages, folds, items, complete, foldOf }: PooledGrid,
): TwoWaySums {
  const readRow = rowReader(block, items * languages);
  const shape = { folds, languages, units: readRow(0).length };
  return twoWaySums((item, k) => readRow(item * languages + k), complete, foldOf, shape);
}

/**
 * Shares of variance of a block of units with their intervals, [unit of the block] each; sums of squares are shared.
 * Bootstrap draws of sums of squares are biased by as much as an interval near zero is wide, since items drawn twice repeat
 * their noise; the jackknife over folds is not.
 */
export function scoreVariance(
  block: ItemBlock,
  grid: PooledGrid,
  definitions: readonly VarianceScore[],
  halves: PieceHalves,
): Columns {
  const columns: Record<string, Float64Array> = {};
  if (definitions.length === 0) return columns;
  const { unitStart, unitEnd } = block;
  const sums = blockSums(block, grid);
  /** Columns of a unit. */
  const size = sums.units / (unitEnd - unitStart);
  const folds = [...sums.items.keys()].filter((fold) => sums.items[fold]! > 0);
  const whole = sumsOfSquares(sums);
  const leftOut = leavingEachOut(folds).map((chosen) => sumsOfSquares(sums, chosen));
  for (const { name, interval } of definitions) setInterval(columns, name, interval(whole, leftOut, size));
  // All of them have the same sample.
  const half = definitions.map(({ name }) => halves.get(name)).find((own) => own !== undefined);
  if (half === undefined) return columns;
  const [position, end] = half.within(unitStart, unitEnd);
  const sampled = pickUnits(
    sums,
    Array.from(half.sample.subarray(position, end)).flatMap((unit) =>
      Array.from({ length: size }, (_, d) => (unit - unitStart) * size + d),
    ),
  );
  half.eachHalf((chosen, split, side) => {
    const squares = sumsOfSquares(sampled, chosen);
    for (const { name, evaluate } of definitions) {
      halves.get(name)?.setSampled(split, side, position, evaluate(squares, size));
    }
  });
  return columns;
}
