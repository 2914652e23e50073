import type { LayerReadings } from '../../runtime/index.js';
import { toFloat16 } from '../../store/index.js';
import { type LayerArray, widthOf } from '../plan/recording.js';

/** Where a prompt of a chunk belongs. */
export interface PromptPlace {
  /** Index into the chunk's items. */
  readonly item: number;
  readonly language: number;
  readonly countedTokens: number;
}

export interface ReducedLayer {
  /** One buffer an array, in the order given. */
  readonly buffers: readonly ArrayBufferView[];
  /** Pooled values beyond half precision's range, stored as infinite: their units have no scores of pooled values. */
  readonly saturated: number;
}

/**
 * Turns a layer's readings, one row a prompt, into the arrays of a part. Sums run over prompts in the order given, in float64
 * (counts in uint32), so they do not depend on batches or threads.
 */
export function reduceLayer(
  arrays: readonly LayerArray[],
  readings: LayerReadings,
  places: readonly PromptPlace[],
  items: number,
  languages: number,
): ReducedLayer {
  let saturated = 0;
  const buffers = arrays.map((array) => {
    if (array.reading === null) return countTokens(places, languages);
    const rows = readings.arrays.get(array.reading)!;
    const width = widthOf(array);
    if (array.per === 'fold') {
      return sumRows(
        rows,
        width,
        places,
        new (array.dtype === 'U32' ? Uint32Array : Float64Array)(languages * width),
      );
    }
    const pooled = poolRows(rows, array, places, items, languages);
    if (array.dtype === 'F32') return pooled;
    const half = toFloat16(pooled, 'infinite');
    saturated += half.saturated;
    return half.bits;
  });
  return { buffers, saturated };
}

function countTokens(places: readonly PromptPlace[], languages: number): Uint32Array {
  const tokens = new Uint32Array(languages);
  for (const { language, countedTokens } of places) tokens[language]! += countedTokens;
  return tokens;
}

function sumRows<T extends Uint32Array | Float64Array>(
  rows: Float32Array,
  width: number,
  places: readonly PromptPlace[],
  sums: T,
): T {
  for (const [row, { language }] of places.entries()) {
    const source = row * width;
    const target = language * width;
    for (let j = 0; j < width; j++) sums[target + j]! += rows[source + j]!;
  }
  return sums;
}

/** [item, language, width]; NaN where an item lacks the language or has no counted token in it. */
function poolRows(
  rows: Float32Array,
  array: LayerArray,
  places: readonly PromptPlace[],
  items: number,
  languages: number,
): Float32Array {
  const width = widthOf(array);
  const pooled = new Float32Array(items * languages * width).fill(Number.NaN);
  for (const [row, { item, language, countedTokens }] of places.entries()) {
    if (countedTokens === 0) continue;
    const divisor = array.mean ? countedTokens : 1;
    const source = row * (array.skipped + width) + array.skipped;
    const target = (item * languages + language) * width;
    for (let j = 0; j < width; j++) pooled[target + j] = rows[source + j]! / divisor;
  }
  return pooled;
}
