import type { JackknifeBounds, UnitIntervals } from '../stats/index.js';
import {
  type LayerArrayName,
  type RunLayer,
  SCORED_TYPES,
  type ScoredType,
  type StatisticName,
} from '../store/index.js';
import type { ItemParts, ItemUncertainty, ItemValues, PermutationP, Spread } from './samples/item-values.js';
import type { SumsOfSquares } from './samples/sums-of-squares.js';

/** Units on which the reliability of a score is estimated, at most, where its halves follow from sums. */
export const RELIABILITY_UNITS = 16_384;
/**
 * The same where every language has one, or where halves are walked through prompt by prompt: some 5 ms a unit at 8,000
 * prompts and 50 splits. At 512 units the standard error of a rank correlation of 0.8 is below 0.02.
 */
export const RELIABILITY_UNITS_ITEMS = 512;

/** How intervals came about; said of every column that has one. */
export const JACKKNIFE = 'delete-one-fold jackknife, t quantile of folds − 1';
export const DISTANCE = 'delete-one-fold jackknife; the interval as of a sum of squares';
export const PERCENTILE = 'percentile bootstrap over items; --uncertainty full';
export const HALF_SAMPLES = 'random half-samples of the folds, t quantile of folds − 1; --uncertainty full';

/** A permutation test, languages permuted within items. */
export interface PermutationTest {
  /** The number that is tested; columns are `<name>_p` and `<name>_q`. */
  readonly name: string;
  readonly sides: string;
  /** The pass over prompts that the test reads. */
  readonly part: keyof ItemParts;
  readonly of: (p: PermutationP) => number | Float64Array;
}

interface Definition {
  /** The column's name, in every table, in `scores.json` and in comparisons. */
  readonly name: string;
  readonly title: string;
  /** The formula's source, with its year. */
  readonly source: string;
  /** `--scores` calls it by this name, alone or with others; null: it is given wherever its sums are recorded. */
  readonly asked: string | null;
  readonly types: readonly ScoredType[];
  /** A unit has one, or one a language. */
  readonly per: 'unit' | 'language';
  /** The sentence that its table and docs/files.md say of it. */
  readonly about: string;
  /** The smallest and the largest value, in words. */
  readonly range: string;
  /** How its interval comes about. */
  readonly how: string;
  readonly tests?: readonly PermutationTest[];
  /** The highest value over languages (and the second) stands in `units.parquet`. */
  readonly best?: { readonly about: string; readonly second?: string; readonly halves?: boolean };
  /** A column beside it that says what chance gives: the share of prompts in the language. */
  readonly chance?: { readonly name: string; readonly about: string };
  /** Units on which its split-half reliability is estimated, at most; null: it has none. */
  readonly reliability: number | null;
  /** In which table of changes it stands; null: in none. */
  readonly change: 'basic' | 'full' | null;
  /** How much it can change between two runs. */
  readonly span: (languages: number, type: ScoredType) => number;
  /** Name of its simulated intervals in `validation/`; null: none are simulated. */
  readonly coverage: string | null;
}

/** A score of means over tokens, which follow from sums by fold. */
export interface FoldScore extends Definition {
  readonly from: 'folds';
  /** The sums that the means are made of, in a layer that may be imported; null: units of the type have none. */
  readonly sums: (type: ScoredType, names: RunLayer['names']) => StatisticName | null;
  /** An array without which the score cannot be computed, with the reason; it is not missed where nobody asked for it. */
  readonly needs?: { readonly array: LayerArrayName; readonly reason: string };
  /** @param means [language, unit]. @returns [unit], or [language, unit]. */
  readonly evaluate: (means: Float64Array, languages: number) => Float64Array;
  /** The ends of its interval are clipped to this. */
  readonly bounds: (statistic: StatisticName) => JackknifeBounds;
  /** Default: the delete-one-fold jackknife. @param leftOut [fold left out]: `means` without it. */
  readonly interval?: (
    means: Float64Array,
    leftOut: readonly Float64Array[],
    languages: number,
  ) => UnitIntervals;
}

/** A share of variance among the items that every language has. */
export interface VarianceScore extends Definition {
  /** Pooled values of a unit, or pooled vectors, whose dimensions are `size` adjacent columns. */
  readonly from: 'values' | 'vectors';
  readonly evaluate: (squares: SumsOfSquares, size: number) => Float64Array;
  readonly interval: (
    squares: SumsOfSquares,
    leftOut: readonly SumsOfSquares[],
    size: number,
  ) => UnitIntervals;
}

/** A score of pooled values, prompt by prompt, which reads the passes that such scores share. */
export interface PromptScore extends Definition {
  readonly from: 'prompts';
  readonly part: keyof ItemParts;
  readonly evaluate: (values: ItemValues) => number | Float64Array;
  readonly interval: (uncertainty: ItemUncertainty) => Spread | readonly Spread[] | undefined;
}

/** The parts that most scores of pooled values share. */
export const OF_PROMPTS = {
  from: 'prompts',
  types: SCORED_TYPES,
  reliability: RELIABILITY_UNITS_ITEMS,
  change: 'full',
} as const;

/** The parts that means over tokens share. */
export const MEANS_OF_LANGUAGES = {
  from: 'folds',
  types: SCORED_TYPES,
  per: 'language',
  how: JACKKNIFE,
  reliability: RELIABILITY_UNITS_ITEMS,
  change: 'full',
} as const;

/** A score of two languages in a layer: how their vectors of items align. It has a table of its own. */
export interface PairScore extends Definition {
  readonly from: 'pairs';
}

/** All there is to a score. What follows from the list: availability, reliability, columns, changes, documentation. */
export type ScoreDefinition = FoldScore | VarianceScore | PromptScore | PairScore;

/** Columns of a score's interval and tests, with what they are. */
export function columnsOf({ name, about, how, tests = [] }: ScoreDefinition): [string, string][] {
  return [
    [name, about],
    [`${name}_se`, `standard error of ${name} (${how})`],
    [`${name}_low`, 'lower end of its 95 % interval'],
    [`${name}_high`, 'upper end of its 95 % interval'],
    ...tests.filter((test) => test.name === name).flatMap(testColumns),
  ];
}

export function testColumns({ name, sides }: PermutationTest): [string, string][] {
  return [
    [`${name}_p`, `permutation p of ${name}, languages permuted within items (${sides}); --uncertainty full`],
    [`${name}_q`, `Benjamini–Hochberg q of ${name}_p over all units of the type (and languages)`],
  ];
}
