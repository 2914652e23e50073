import { ItemEvaluator } from '../src/scores/samples/item-evaluator.js';
import { Draws } from '../src/stats/sampling/random.js';
import { benjaminiHochberg } from '../src/stats/tests/benjamini-hochberg.js';
import { ITEM_SPREAD } from './coverage-of-items.js';
import { permutationsAlone, pValuesOf, TESTED, type Tested } from './null-p-values.js';
import { completeGrid } from './simulated-grid.js';
import { simulateUnit } from './simulated-units.js';

/** What calling units tied by q gave. */
export interface DiscoveryRate {
  readonly test: Tested;
  readonly nominal: number;
  /** Mean over sets of false discoveries / max(1, discoveries), and two standard errors either side. */
  readonly realised: number;
  readonly low: number;
  readonly high: number;
  /** Share of the tied units that were found. */
  readonly power: number;
}

/** One set: so few units that a single p of 1/1001 can pass Benjamini–Hochberg at 0.05. */
export const SET = { units: 50, tied: 10, items: 40, effect: 1 } as const;
const NOMINAL = [0.01, 0.05, 0.1, 0.2];

export interface DiscoveryModel {
  readonly languages: number;
  readonly folds: number;
  readonly permutations: number;
  readonly sets: number;
  readonly seed: number;
}

/** Realised rate of false discoveries in sets of units some of which are tied; a set shares its permutations, as a run does. */
export async function measureDiscoveries(
  { languages, folds, permutations, sets, seed }: DiscoveryModel,
  pause: () => Promise<void>,
): Promise<DiscoveryRate[]> {
  const rates = TESTED.flatMap((test) =>
    NOMINAL.map((nominal) => ({ test, nominal, proportions: [] as number[], right: 0 })),
  );
  const grid = completeGrid(SET.items, languages, folds);
  const evaluator = new ItemEvaluator(grid);
  for (let set = 0; set < sets; set++) {
    const draws = new Draws(seed + 104_729 * (set + 1));
    const samples = permutationsAlone(grid, permutations, seed + set);
    const p = [];
    for (let u = 0; u < SET.units; u++) {
      if (u % 10 === 0) await pause();
      const effect = u < SET.tied ? SET.effect : 0;
      const values = simulateUnit({ items: SET.items, languages, effect, itemSpread: ITEM_SPREAD }, draws);
      p.push(pValuesOf(evaluator, samples, values, languages));
    }
    for (const rate of rates) {
      const q = benjaminiHochberg(p.map((own) => own[rate.test]));
      const found = [...q.keys()].filter((u) => q[u]! <= rate.nominal);
      const right = found.filter((u) => u < SET.tied).length;
      rate.proportions.push((found.length - right) / Math.max(1, found.length));
      rate.right += right;
    }
  }
  return rates.map(({ test, nominal, proportions, right }): DiscoveryRate => {
    const realised = proportions.reduce((a, b) => a + b, 0) / sets;
    const squares = proportions.reduce((sum, own) => sum + (own - realised) ** 2, 0);
    const error = 2 * Math.sqrt(squares / Math.max(1, sets - 1) / sets);
    return {
      test,
      nominal,
      realised,
      low: Math.max(0, realised - error),
      high: Math.min(1, realised + error),
      power: right / (sets * SET.tied),
    };
  });
}
