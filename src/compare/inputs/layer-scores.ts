import {
  lape,
  type ReferenceCut,
  type Selection,
  selectReference,
  type TwoWaySums,
  twoWay,
} from '../../scores/index.js';
import {
  type FoldShape,
  meanOverTokens,
  type Numbers,
  type TokenCounts,
  type UnitType,
} from '../../store/index.js';
import { NOT_SELECTED } from './tally.js';

/** Languages that scores are computed over: all of them, or a group. */
export interface Scope {
  /** null: all languages. */
  readonly group: string | null;
  /** Indices of languages, ascending. */
  readonly languages: readonly number[];
}

/** Everything of some adjacent units of a layer that a comparison computes from: sums that add over folds. */
export interface UnitLayer {
  readonly type: UnitType;
  readonly layer: number;
  /** The first of them, within the layer. */
  readonly unitStart: number;
  readonly shape: FoldShape;
  /** [fold, language, unit]: firing counts (neurons), sums of contribution norms (heads), tokens routed to it (experts). */
  readonly sums: Numbers;
  readonly tokens: TokenCounts;
  /** [scope]: of pooled values; null without `--keep items`, and for a group of one language. */
  readonly twoWay: readonly (TwoWaySums | null)[];
  /** Heads with items only: of the dimensions of pooled hook_z. */
  readonly vectors: TwoWaySums | null;
}

/** A layer's units over one subset of the folds and the languages of one scope; arrays are [unit]. */
export interface ScopeScores {
  /** Over the scope's languages alone. NaN for all units of a group of one language. */
  readonly lape: Float64Array;
  readonly omega2: Float64Array | null;
  readonly eta2Item: Float64Array | null;
  /** The scope's language of highest rate for a selected unit that belongs to one of them, else `NOT_SELECTED`. */
  readonly assignment: Int16Array;
}

/** A layer's units over one subset of the folds. */
export interface SubsetScores {
  /** [language, unit]. */
  readonly rates: Float64Array;
  readonly selection: Selection;
  /** [scope]; the first is of all languages. */
  readonly scopes: readonly ScopeScores[];
}

/** Rates of a layer's units over the chosen folds, [language, unit]. */
export function ratesOf(layer: UnitLayer, chosen: readonly number[]): Float64Array {
  return meanOverTokens(layer.sums, layer.tokens, layer.shape, chosen);
}

/**
 * Scores of a layer's units over the chosen folds. Which units are selected, and for which languages, is the
 * reference's fixed cut on LAPE over *all* languages; a group then has the selected units that belong to one of its
 * languages, and entropies and ω² over its languages alone.
 */
export function scoreSubset(
  layer: UnitLayer,
  chosen: readonly number[],
  cut: ReferenceCut,
  scopes: readonly Scope[],
): SubsetScores {
  const { languages, units } = layer.shape;
  const rates = ratesOf(layer, chosen);
  const entropies = lape(rates, languages);
  const selection = selectReference(rates, entropies, languages, cut);
  return {
    rates,
    selection,
    scopes: scopes.map(({ group, languages: own }, s) => {
      const sums = layer.twoWay[s] ?? null;
      const effects = sums === null ? null : twoWay(sums, chosen);
      return {
        lape: group === null ? entropies : entropyWithin(rates, own, units),
        omega2: effects?.omega2Language ?? null,
        eta2Item: effects?.eta2Item ?? null,
        assignment: assign(rates, selection, own),
      };
    }),
  };
}

/** LAPE over the chosen languages, [unit]; NaN if there are fewer than two. */
function entropyWithin(rates: Float64Array, own: readonly number[], units: number): Float64Array {
  if (own.length < 2) return new Float64Array(units).fill(Number.NaN);
  const chosen = new Float64Array(own.length * units);
  for (const [row, k] of own.entries()) chosen.set(rates.subarray(k * units, (k + 1) * units), row * units);
  return lape(chosen, own.length);
}

/** Ties go to the earlier language. */
export function assign(
  rates: Float64Array,
  { units, selected, member }: Selection,
  own: readonly number[],
): Int16Array {
  const assignment = new Int16Array(units).fill(NOT_SELECTED);
  for (let u = 0; u < units; u++) {
    if (selected[u] !== 1) continue;
    let best = 0;
    for (const k of own) {
      const at = k * units + u;
      if (member[at] === 1 && rates[at]! > best) {
        best = rates[at]!;
        assignment[u] = k;
      }
    }
  }
  return assignment;
}
