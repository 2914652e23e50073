import { ItemEvaluator } from '../src/scores/samples/item-evaluator.js';
import { type ItemSamples, itemSamples } from '../src/scores/samples/item-samples.js';
import { itemUncertainty } from '../src/scores/samples/item-uncertainty.js';
import { newItemValues, type PermutationP } from '../src/scores/samples/item-values.js';
import { wilsonInterval } from '../src/stats/intervals/bootstrap.js';
import { Draws } from '../src/stats/sampling/random.js';
import type { PooledGrid } from '../src/store/arrays/pooled-grid.js';
import { ITEM_SPREAD } from './coverage-of-items.js';
import { kolmogorovSmirnov } from './kolmogorov-smirnov.js';
import { completeGrid } from './simulated-grid.js';
import { simulateUnit } from './simulated-units.js';

/** Tests whose p-values are put to the test; `omega2` is that of SS_language, hence of η², ω² and F. */
export const TESTED = ['omega2', 'selectivity', 'selectivityBest', 'auroc', 'ap', 'mi'] as const;
export type Tested = (typeof TESTED)[number];

/** p-values of units that are tied to no language: uniform, if they keep their promise. */
export interface Uniformity {
  readonly test: Tested;
  readonly units: number;
  /** Kolmogorov–Smirnov. */
  readonly d: number;
  readonly p: number;
  /** Share of p-values at or below 0.05, with Wilson's 95 % interval. */
  readonly rejected: number;
  readonly rejectedLow: number;
  readonly rejectedHigh: number;
  /** Share of p-values at or below 0.01, 0.02 … 1. */
  readonly ecdf: readonly number[];
}

export interface NullModel {
  readonly items: number;
  readonly languages: number;
  readonly folds: number;
  readonly units: number;
  readonly permutations: number;
  readonly seed: number;
}

/** p-values of simulated units without any effect, each permuted anew. */
export async function measureUniformity(
  { items, languages, folds, units, permutations, seed }: NullModel,
  pause: () => Promise<void>,
): Promise<Uniformity[]> {
  const p = new Map(TESTED.map((test) => [test, new Float64Array(units)]));
  const grid = completeGrid(items, languages, folds);
  const evaluator = new ItemEvaluator(grid);
  const draws = new Draws(seed);
  for (let u = 0; u < units; u++) {
    if (u % 10 === 0) await pause();
    const values = simulateUnit({ items, languages, effect: 0, itemSpread: ITEM_SPREAD }, draws);
    const samples = permutationsAlone(grid, permutations, seed + 7919 * (u + 1));
    const own = pValuesOf(evaluator, samples, values, languages);
    for (const test of TESTED) p.get(test)![u] = own[test];
  }
  return TESTED.map((test): Uniformity => {
    const own = p.get(test)!;
    const atMost = (bound: number) => own.filter((value) => value <= bound + 1e-12).length;
    const [rejectedLow, rejectedHigh] = wilsonInterval(atMost(0.05), units);
    return {
      test,
      units,
      ...kolmogorovSmirnov(own),
      rejected: atMost(0.05) / units,
      rejectedLow,
      rejectedHigh,
      ecdf: Array.from({ length: 100 }, (_, i) => atMost((i + 1) / 100) / units),
    };
  });
}

/** Samples for p-values, without those for intervals. */
export function permutationsAlone(grid: PooledGrid, permutations: number, seed: number): ItemSamples {
  const samples = itemSamples(grid, [], { draws: 0, permutations, seed });
  return { ...samples, foldsLeftOut: [], halvings: [] };
}

const PARTS = { ranks: true, mi: true, selectivity: true, overlap: false };

/** The p-values of one unit, of its first language where there is one a language. */
export function pValuesOf(
  evaluator: ItemEvaluator,
  samples: ItemSamples,
  values: Float32Array,
  languages: number,
): Record<Tested, number> {
  const whole = newItemValues(languages);
  evaluator.load(values, PARTS);
  evaluator.evaluate(samples.whole, PARTS, whole);
  return ofFirst(itemUncertainty(evaluator, samples, PARTS, whole).p);
}

function ofFirst(p: PermutationP): Record<Tested, number> {
  return {
    omega2: p.twoWay,
    selectivity: p.selectivity[0]!,
    selectivityBest: p.selectivityBest,
    auroc: p.auroc[0]!,
    ap: p.ap[0]!,
    mi: p.mi,
  };
}
