import type { QuantityKey } from '../comparison.js';
import type { FoldSubsets } from '../inputs/fold-subsets.js';
import type { Scope } from '../inputs/layer-scores.js';

/**
 * The way a quantity moves when runs differ more: a `difference` grows (signed differences enter as absolute values),
 * a `similarity` shrinks.
 */
export type Direction = 'difference' | 'similarity';

export type Range = readonly [min: number, max: number];

/** A run over a subset of its folds; both are indices. */
export interface Side {
  readonly run: number;
  readonly subset: number;
}

/**
 * A number of a run, or between two runs, that a comparison gives with its interval, tests and floors. Levels, changes,
 * contrasts and trends of all quantities are computed by the same code (`measureAll`).
 */
export interface Quantity extends QuantityKey {
  readonly direction: Direction;
  /** The number of one side; null for a quantity that exists only between two. NaN: cannot be computed. */
  readonly value: ((side: Side) => number) | null;
  /** Signed b − a, or the number between the two. */
  readonly between: (a: Side, b: Side) => number;
  /** Intervals of `value` are clipped to it. */
  readonly valueRange: Range;
  /** Intervals of `between` are clipped to it. */
  readonly changeRange: Range;
  /** The reason for a NaN. */
  readonly needs: string;
  /** The reason why it cannot be given whatever the numbers; null if it can. */
  readonly impossible: string | null;
  /**
   * A mean over units or items, whose jackknife is calibrated. Counts under a cut, sets and ranks jump, and their changes are
   * tested by exchange of labels.
   */
  readonly isSmooth: boolean;
  /** A number of one layer or of one language beside the headline: it has changes, and no levels, contrasts or trends. */
  readonly isDetail: boolean;
}

/** The runs that quantities are computed of, by index, and what is asked about them. */
export interface Design {
  /** Labels of the compared runs; the first is the reference. */
  readonly labels: readonly string[];
  /** [compared run]: the run and its further training seeds. */
  readonly regimes: readonly (readonly number[])[];
  readonly subsets: FoldSubsets;
  /** The first is of all languages. */
  readonly scopes: readonly Scope[];
  /** Pairs of compared runs whose changes against the reference are set against each other. */
  readonly contrasts: readonly { readonly from: number; readonly to: number }[];
  /** Training steps by label; empty without a trajectory. */
  readonly steps: ReadonlyMap<string, number>;
  /** Share of a level up to which a change of it does not matter; null: none was set. */
  readonly margin: number | null;
}

export const UNBOUNDED: Range = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
export const COUNT: Range = [0, Number.POSITIVE_INFINITY];
export const SHARE: Range = [0, 1];

/** Fills in what most quantities are: over all layers, of no single language, always possible, no mean, no detail. */
export function quantity(
  own: Omit<Quantity, 'layer' | 'language' | 'impossible' | 'isSmooth' | 'isDetail'> & Partial<Quantity>,
): Quantity {
  return { layer: null, language: null, impossible: null, isSmooth: false, isDetail: false, ...own };
}

/** A similarity that exists only between two runs, 0 … 1. */
export function sharedBy(between: Quantity['between']) {
  const range = { valueRange: SHARE, changeRange: SHARE };
  return { direction: 'similarity', value: null, between, ...range } as const;
}

/** A quantity that each run has by itself; between two runs it is the difference b − a. */
export function signed(value: (side: Side) => number): Pick<Quantity, 'direction' | 'value' | 'between'> {
  return { direction: 'difference', value, between: (a, b) => value(b) - value(a) };
}

/**
 * The quantities, not measured (NaN) over subsets of the folds in which some language has no counted token: there no unit has an
 * entropy, and a count of selected ones would be 0.
 *
 * @param lacks [subset]: some language has no token.
 */
export function notWithout(quantities: readonly Quantity[], lacks: readonly boolean[]): readonly Quantity[] {
  if (!lacks.includes(true)) return quantities;
  return quantities.map((own): Quantity => {
    const { value, between } = own;
    return {
      ...own,
      value: value === null ? null : (side) => (lacks[side.subset] ? Number.NaN : value(side)),
      between: (a, b) => (lacks[a.subset] || lacks[b.subset] ? Number.NaN : between(a, b)),
    };
  });
}

/** NaN instead of a division by zero. */
export function ratio(part: number, whole: number): number {
  return whole === 0 ? Number.NaN : part / whole;
}

/** The reason why one language has no quantity that is about the difference between languages. */
export const ONE_LANGUAGE = 'one language has no difference between languages';

/** Indices of every pair of compared runs, those with the reference first. */
export function comparedPairs(runs: number): { readonly from: number; readonly to: number }[] {
  return Array.from({ length: runs }, (_, from) =>
    Array.from({ length: runs - from - 1 }, (_, i) => ({ from, to: from + 1 + i })),
  ).flat();
}
