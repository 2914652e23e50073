import { jackknifeDistances, jackknifeUnits, type UnitIntervals } from '../stats/index.js';
import { type ItemBlock, type PooledGrid, rowReader } from '../store/index.js';
import type { UnitArray } from './score-arrays.js';
import type { HalfScoreName, PieceHalves } from './scored-piece.js';
import { pickUnits, type TwoWaySums, twoWay, twoWaySums } from './two-way.js';
import { vectorShare } from './vector-share.js';

type Arrays = Partial<Record<UnitArray, Float64Array>>;
/** Column, its name among half scores. */
type Effect = readonly [name: UnitArray, half: HalfScoreName];
/** What is made of the sums of some folds: [effect][unit of the block]. */
type Compute = (
  sums: TwoWaySums,
  folds: readonly number[] | undefined,
  size: number,
) => readonly Float64Array[];
/** Intervals from the values of effects and, for each fold that was left out, those without it. */
type Intervals = (
  values: readonly Float64Array[],
  replicates: readonly (readonly Float64Array[])[],
) => UnitIntervals[];

const SHARE = { min: 0, max: 1 };
const TWO_WAY: readonly Effect[] = [
  ['eta2_language', 'eta2Language'],
  ['eta2_item', 'eta2Item'],
  ['omega2_language', 'omega2Language'],
  ['omega2_item', 'omega2Item'],
];
const VECTOR_SHARE: readonly Effect[] = [
  ['vector_share_language', 'vectorShareLanguage'],
  ['vector_share_item', 'vectorShareItem'],
];

/** Two-way decomposition of a block of units, with intervals; [unit of the block] each. */
export function scoreTwoWay(block: ItemBlock, grid: PooledGrid, halves: PieceHalves): Arrays {
  const compute: Compute = (sums, chosen) => {
    const { eta2Language, eta2Item, omega2Language, omega2Item } = twoWay(sums, chosen);
    return [eta2Language, eta2Item, omega2Language, omega2Item];
  };
  const intervals: Intervals = (values, replicates) => {
    const [eta2, omega2] = languageShares(values[0]!, column(replicates, 0));
    return [
      eta2,
      jackknifeUnits(values[1]!, column(replicates, 1), SHARE),
      {
        value: values[2]!,
        se: jackknifeUnits(values[2]!, column(replicates, 2)).se,
        low: omega2.low.map((low, u) => Math.min(low, values[2]![u]!)),
        high: omega2.high.map((high, u) => Math.min(1, Math.max(high, values[2]![u]!))),
      },
      jackknifeUnits(values[3]!, column(replicates, 3), { max: 1 }),
    ];
  };
  return effects(block, grid, TWO_WAY, halves, compute, intervals);
}

/** Shares of variance of the vectors of a block of heads, likewise. */
export function scoreVectorShare(block: ItemBlock, grid: PooledGrid, halves: PieceHalves): Arrays {
  const compute: Compute = (sums, chosen, size) => {
    const { language, item } = vectorShare(sums, size, chosen);
    return [language, item];
  };
  const intervals: Intervals = (values, replicates) => [
    languageShares(values[0]!, column(replicates, 0))[0],
    jackknifeUnits(values[1]!, column(replicates, 1), SHARE),
  ];
  return effects(block, grid, VECTOR_SHARE, halves, compute, intervals);
}

/**
 * Intervals (`distanceInterval`) of the share of variance that lies between languages: at this number of items, and of infinitely many. The
 * latter has none of what chance adds at this number, which is the share's bias. Where languages cannot be told apart the
 * former reaches to 0: what chance adds is itself only estimated.
 */
function languageShares(
  share: Float64Array,
  replicates: readonly Float64Array[],
): readonly [UnitIntervals, UnitIntervals] {
  const distances = jackknifeDistances(share, replicates);
  const { se, low, high, bias } = distances;
  const chance = bias.map((own) => Math.max(0, own));
  return [
    {
      value: share,
      se,
      low: low.map((end, u) => (end > 0 ? Math.min(end + chance[u]!, share[u]!) : end)),
      high: high.map((end, u) => Math.min(1, Math.max(end + chance[u]!, share[u]!))),
    },
    distances,
  ];
}

/** [fold left out] of one effect. */
function column(replicates: readonly (readonly Float64Array[])[], effect: number): Float64Array[] {
  return replicates.map((replicate) => replicate[effect]!);
}

/** Sums of a block's pooled values. All of its columns are units: of a vector, each dimension. */
export function blockSums(
  block: ItemBlock,
  { languages, folds, items, complete, foldOf }: PooledGrid,
): TwoWaySums {
  const rows = items * languages;
  const readRow = rowReader(block, rows);
  const shape = { folds, languages, units: readRow(0).length };
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
  compute: Compute,
  intervals: Intervals,
): Arrays {
  const { unitStart, unitEnd } = block;
  const sums = blockSums(block, grid);
  /** Columns of a unit. */
  const size = sums.units / (unitEnd - unitStart);
  const folds = [...sums.items.keys()].filter((fold) => sums.items[fold]! > 0);
  const replicates = folds.map((left) =>
    compute(
      sums,
      folds.filter((fold) => fold !== left),
      size,
    ),
  );
  const arrays: Arrays = {};
  for (const [i, { value, se, low, high }] of intervals(
    compute(sums, undefined, size),
    replicates,
  ).entries()) {
    const [name] = named[i]!;
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
