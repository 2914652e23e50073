/** Any array of numbers a run holds. */
export type Numbers = Float64Array | Float32Array | Uint32Array | Uint16Array;

/** The axes of a fold array [fold, language, unit]. */
export interface FoldShape {
  readonly folds: number;
  readonly languages: number;
  readonly units: number;
}

/** Folds in which at least one token was counted, ascending. `tokens` is [fold, language]. */
export function liveFolds(tokens: Numbers, { folds, languages }: FoldShape): number[] {
  const live: number[] = [];
  for (let f = 0; f < folds; f++) {
    for (let k = 0; k < languages; k++) {
      if (tokens[f * languages + k]! > 0) {
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
  shape: FoldShape,
  chosen: readonly number[] = every(shape),
): Float64Array {
  const total = new Float64Array(shape.languages);
  for (const f of chosen) {
    for (let k = 0; k < shape.languages; k++) total[k]! += tokens[f * shape.languages + k]!;
  }
  return total;
}

/**
 * Mean over counted tokens: Σ over the chosen folds (default all) of `sums` [fold, language, unit], divided by the
 * tokens [fold, language] of the same folds. Returns [language, unit], in the unit of `sums` per token; NaN for a
 * language without tokens.
 */
export function meanOverTokens(
  sums: Numbers,
  tokens: Numbers,
  shape: FoldShape,
  chosen: readonly number[] = every(shape),
): Float64Array {
  const { languages, units } = shape;
  const block = languages * units;
  const mean = new Float64Array(block);
  for (const f of chosen) {
    const start = f * block;
    for (let i = 0; i < block; i++) mean[i]! += sums[start + i]!;
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

function every({ folds }: FoldShape): number[] {
  return Array.from({ length: folds }, (_, f) => f);
}
