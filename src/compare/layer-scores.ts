import { type FoldShape, meanOverTokens, type Numbers } from '../scores/fold-sums.js';
import { lape } from '../scores/lape.js';
import { selectReference } from '../scores/select-reference.js';
import type { ReferenceCut, Selection } from '../scores/selection.js';
import { topLanguage } from '../scores/top-language.js';
import { type TwoWaySums, twoWay } from '../scores/two-way.js';
import type { UnitType } from '../scores/types.js';
import { NOT_SELECTED } from './tally.js';

/** Everything of one layer's units that a comparison computes from: sums that add over folds. */
export interface UnitLayer {
  readonly type: UnitType;
  readonly layer: number;
  readonly shape: FoldShape;
  /** [fold, language, unit]: firing counts (neurons), sums of contribution norms (heads). */
  readonly sums: Numbers;
  /** [fold, language]. */
  readonly tokens: Numbers;
  /** Of pooled values; null without `--keep items`. */
  readonly twoWay: TwoWaySums | null;
  /** Heads with items only: of the dimensions of pooled hook_z. */
  readonly vectors: TwoWaySums | null;
}

/** A layer's units over one subset of the folds; arrays are [unit]. */
export interface SubsetScores {
  /** [language, unit]. */
  readonly rates: Float64Array;
  readonly lape: Float64Array;
  readonly omega2: Float64Array | null;
  readonly selection: Selection;
  /** Top language of a selected unit, else `NOT_SELECTED`. */
  readonly assignment: Int16Array;
}

/** Rates of a layer's units over the chosen folds, [language, unit]. */
export function ratesOf(layer: UnitLayer, chosen: readonly number[]): Float64Array {
  return meanOverTokens(layer.sums, layer.tokens, layer.shape, chosen);
}

/** Scores of a layer's units over the chosen folds, selected under the reference's fixed cut. */
export function scoreSubset(layer: UnitLayer, chosen: readonly number[], cut: ReferenceCut): SubsetScores {
  const { languages, units } = layer.shape;
  const rates = ratesOf(layer, chosen);
  const entropies = lape(rates, languages);
  const selection = selectReference(rates, entropies, languages, cut);
  const top = topLanguage(rates, languages);
  const assignment = new Int16Array(units).fill(NOT_SELECTED);
  for (let u = 0; u < units; u++) if (selection.selected[u] === 1) assignment[u] = top[u]!;
  const omega2 = layer.twoWay === null ? null : twoWay(layer.twoWay, chosen).omega2Language;
  return { rates, lape: entropies, omega2, selection, assignment };
}
