import { type ExpertSizes, expertOfNeuron, expertsOf } from '../../hooks/index.js';
import type { RunLayer } from '../run/open-run.js';
import type { ScoredType } from './unit-layout.js';

/** Any array of numbers a run holds. */
export type Numbers = Float64Array | Float32Array | Uint32Array | Uint16Array;

/** The axes of a fold array [fold, language, unit]. */
export interface FoldShape {
  readonly folds: number;
  readonly languages: number;
  readonly units: number;
}

/** Counted tokens where units see different ones: neurons of an expert see those that were routed to it. */
export interface RoutedTokens {
  /** [fold, language, group]. */
  readonly counts: Numbers;
  readonly groups: number;
  /** [unit]: the group whose tokens the unit sees. */
  readonly groupOf: ArrayLike<number>;
}

/** Sums over tokens are divided by these counts: [fold, language] where every unit sees every token. */
export type TokenCounts = Numbers | RoutedTokens;

/** Folds in which at least one token was counted, ascending. */
export function liveFolds(tokens: TokenCounts, { folds }: Pick<FoldShape, 'folds'>): number[] {
  const counts = 'groupOf' in tokens ? tokens.counts : tokens;
  const row = counts.length / folds;
  const live: number[] = [];
  for (let f = 0; f < folds; f++) {
    for (let i = 0; i < row; i++) {
      if (counts[f * row + i]! > 0) {
        live.push(f);
        break;
      }
    }
  }
  return live;
}

/** T_k: tokens of each language over the chosen folds (default all). Returns [language]. */
export function tokensOf(
  tokens: Numbers,
  shape: Pick<FoldShape, 'folds' | 'languages'>,
  chosen: readonly number[] = every(shape),
): Float64Array {
  return sumOverFolds(tokens, shape.languages, chosen);
}

/**
 * Mean over counted tokens: Σ over the chosen folds (default all) of `sums` [fold, language, unit], divided by the
 * tokens of the same folds. Returns [language, unit], in the unit of `sums` per token; NaN for a language of which the
 * unit saw no token.
 */
export function meanOverTokens(
  sums: Numbers,
  tokens: TokenCounts,
  shape: FoldShape,
  chosen: readonly number[] = every(shape),
): Float64Array {
  const { languages, units } = shape;
  const mean = sumOverFolds(sums, languages * units, chosen);
  if ('groupOf' in tokens) {
    const { counts, groups, groupOf } = tokens;
    const total = sumOverFolds(counts, languages * groups, chosen);
    for (let k = 0; k < languages; k++) {
      for (let u = 0; u < units; u++) {
        const count = total[k * groups + groupOf[u]!]!;
        mean[k * units + u] = count > 0 ? mean[k * units + u]! / count : Number.NaN;
      }
    }
    return mean;
  }
  const total = tokensOf(tokens, shape, chosen);
  for (let k = 0; k < languages; k++) {
    const count = total[k]!;
    for (let u = 0; u < units; u++)
      mean[k * units + u] = count > 0 ? mean[k * units + u]! / count : Number.NaN;
  }
  return mean;
}

/** Some columns of an array [row, column], [row, chosen]. */
export function pickColumns(values: Numbers, columns: number, chosen: ArrayLike<number>): Float64Array {
  const rows = values.length / columns;
  const picked = new Float64Array(rows * chosen.length);
  for (let row = 0; row < rows; row++) {
    for (let c = 0; c < chosen.length; c++)
      picked[row * chosen.length + c] = values[row * columns + chosen[c]!]!;
  }
  return picked;
}

/** Picks the counts that the sums of some units are divided by. */
export function pickTokens(tokens: TokenCounts, chosen: ArrayLike<number>): TokenCounts {
  if (!('groupOf' in tokens)) return tokens;
  return { ...tokens, groupOf: Uint32Array.from(chosen, (unit) => tokens.groupOf[unit]!) };
}

/** Σ over folds of rows of `width` values. */
function sumOverFolds(values: Numbers, width: number, chosen: readonly number[]): Float64Array {
  const sum = new Float64Array(width);
  for (const f of chosen) {
    const start = f * width;
    for (let i = 0; i < width; i++) sum[i]! += values[start + i]!;
  }
  return sum;
}

function every({ folds }: Pick<FoldShape, 'folds'>): number[] {
  return Array.from({ length: folds }, (_, f) => f);
}

/**
 * Reads what sums of units unitStart … unitEnd − 1 of a layer are divided by: counted tokens, and for neurons of experts those
 * that were routed to their expert.
 */
export async function readTokenCounts(
  layer: RunLayer,
  type: ScoredType,
  sizes: ExpertSizes,
  unitStart: number,
  unitEnd: number,
): Promise<TokenCounts> {
  const tokens = await layer.readTokens();
  const experts = expertsOf(sizes, layer.layer);
  if (type !== 'neuron' || experts === 0) return tokens;
  const routed = await layer.readStatistic('expert.count');
  // Neurons of shared experts are the last group: they see every token.
  const groups = experts + 1;
  const counts = new Float64Array(tokens.length * groups);
  for (const [cell, count] of tokens.entries()) {
    counts.set(routed.subarray(cell * experts, (cell + 1) * experts), cell * groups);
    counts[cell * groups + experts] = count;
  }
  const groupOf = Uint32Array.from(
    { length: unitEnd - unitStart },
    (_, u) => expertOfNeuron(sizes, layer.layer, unitStart + u) ?? experts,
  );
  return { counts, groups, groupOf };
}
