import type { DotProducts } from '../../runtime/index.js';
import { type RunLayer, type RunManifest, unitBlocks } from '../../store/index.js';
import {
  type AlignmentSums,
  alignmentSums,
  type UnitVectors,
  unitVectors,
} from '../definitions/alignment.js';

/** Two languages of a run, by index, a < b. */
export interface LanguagePair {
  readonly a: number;
  readonly b: number;
}

export interface PairAlignment extends LanguagePair {
  readonly sums: AlignmentSums;
  /** Items that both languages have and that were left out, because a vector is zero. */
  readonly leftOut: number;
}

/** Every two languages, in order. */
export function languagePairs(languages: number): LanguagePair[] {
  return Array.from({ length: languages }, (_, a) =>
    Array.from({ length: languages - a - 1 }, (_, i) => ({ a, b: a + 1 + i })),
  ).flat();
}

/**
 * Alignment of every two languages of a run in one layer, on pooled hook_resid_post. Holds the layer's `resid.items` as
 * float32, and a quarter of it more while it is read.
 *
 * @throws RunError if the run does not keep them.
 */
export async function layerAlignment(
  layer: RunLayer,
  { plan, shape }: RunManifest,
  products: DotProducts,
): Promise<PairAlignment[]> {
  const foldOf = Uint32Array.from(plan.items, ({ fold }) => fold);
  const vectors = await readVectors(layer, plan.languages.length, foldOf.length, shape.dModel ?? 0);
  const pairs: PairAlignment[] = [];
  for (const { a, b } of languagePairs(vectors.length)) {
    const [from, to] = [vectors[a]!, vectors[b]!];
    const sums = await alignmentSums(from, to, foldOf, plan.folds, products);
    const leftOut = foldOf.reduce((count, _, i) => count + leavesOut(from, to, i), 0);
    pairs.push({ a, b, sums, leftOut });
  }
  return pairs;
}

/** [language]. */
async function readVectors(
  layer: RunLayer,
  languages: number,
  items: number,
  dimension: number,
): Promise<UnitVectors[]> {
  const rows = Array.from({ length: languages }, () => new Float32Array(items * dimension));
  // A block is held beside all rows and the unit vectors that are made of them.
  const bytes = 4 * languages * items * Float32Array.BYTES_PER_ELEMENT;
  for (const { unitStart, unitEnd } of unitBlocks(layer.unitsWith('resid.items'), bytes)) {
    const values = await layer.readItems('resid.items', unitStart, unitEnd);
    const width = unitEnd - unitStart;
    for (let i = 0; i < items; i++) {
      for (let k = 0; k < languages; k++) {
        const at = (i * languages + k) * width;
        rows[k]!.set(values.subarray(at, at + width), i * dimension + unitStart);
      }
    }
  }
  return rows.map((values) => unitVectors(values, dimension));
}

/** 1 if both languages have the item and one of them only a zero. */
function leavesOut(a: UnitVectors, b: UnitVectors, i: number): number {
  const has = ({ present, zero }: UnitVectors) => present[i] === 1 || zero[i] === 1;
  return has(a) && has(b) && (a.zero[i] === 1 || b.zero[i] === 1) ? 1 : 0;
}
