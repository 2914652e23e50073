import { type FoldHalves, itemDraws, itemPermutations, randomHalves } from '../../stats/index.js';
import type { PooledGrid } from '../../store/index.js';
import { leavingEachOut } from './half-scores.js';
import { type PromptSample, wholeSample } from './rank-walk.js';

export interface Resampling {
  /** Bootstrap draws of items (docs/scores.md: 1000). */
  readonly draws: number;
  /** Permutations of languages within items (docs/scores.md: 1000). */
  readonly permutations: number;
  readonly seed: number;
}

/**
 * The samples of prompts that every unit is scored on. They are drawn once and are the same for all units, which keeps
 * what ties units to each other and makes results independent of who computes them.
 */
export interface ItemSamples {
  readonly whole: PromptSample;
  /** Two a split. */
  readonly halves: readonly PromptSample[];
  /** Each fold that has prompts left out once. */
  readonly foldsLeftOut: readonly PromptSample[];
  /** Random halvings of the folds that have prompts, for standard errors. */
  readonly halvings: readonly (readonly [PromptSample, PromptSample])[];
  /** Items drawn with replacement, all languages of an item together. */
  readonly draws: readonly PromptSample[];
  /** Languages permuted within items; none where no item has two prompts. */
  readonly permutations: readonly PromptSample[];
  /** Share of the prompts whose item has another. */
  readonly permutable: number;
}

/** Their number costs the standard error a hundredth of its precision, that of the folds a sixth. */
const HALVINGS = 100;

/** @param resampling null: neither folds left out, nor halvings, nor draws, nor permutations. */
export function itemSamples(
  { item, items, language, foldOf }: PooledGrid,
  halves: readonly FoldHalves[],
  resampling: Resampling | null,
): ItemSamples {
  const whole = wholeSample(language);
  const weighted = (ofItem: Uint8Array): PromptSample => {
    const weights = Uint8Array.from(item, (i) => ofItem[i]!);
    return { labels: language, weights, total: weights.reduce((sum, weight) => sum + weight, 0) };
  };
  const ofFolds = (folds: readonly number[]) => {
    const chosen = new Set(folds);
    return weighted(Uint8Array.from(foldOf, (fold) => (chosen.has(fold) ? 1 : 0)));
  };
  const folds = [...new Set(Array.from(item, (i) => foldOf[i]!))].sort((a, b) => a - b);
  // Prompts of an item lie together.
  const permutable = item.filter((i, n) => item[n - 1] === i || item[n + 1] === i).length / item.length;
  const samples = {
    whole,
    halves: halves.flatMap(({ first, second }) => [ofFolds(first), ofFolds(second)]),
    permutable,
  };
  if (resampling === null) return { ...samples, foldsLeftOut: [], halvings: [], draws: [], permutations: [] };
  const { draws, permutations, seed } = resampling;
  const halvings = folds.length < 2 ? [] : randomHalves(folds, HALVINGS, seed);
  return {
    ...samples,
    foldsLeftOut: leavingEachOut(folds).map(ofFolds),
    halvings: halvings.map(({ first, second }) => [ofFolds(first), ofFolds(second)] as const),
    draws: rows(itemDraws(items, draws, seed), items).map(weighted),
    permutations:
      permutable > 0
        ? rows(itemPermutations(language, item, permutations, seed), item.length).map((labels) => ({
            ...whole,
            labels,
          }))
        : [],
  };
}

function rows(all: Uint8Array, width: number): Uint8Array[] {
  return Array.from({ length: all.length / width }, (_, n) => all.subarray(n * width, (n + 1) * width));
}
