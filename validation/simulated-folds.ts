import type { Draws } from '../src/stats/sampling/random.js';
import type { StatisticName } from '../src/store/arrays/run-arrays.js';
import type { RunLayer } from '../src/store/run/open-run.js';

/** A layer of simulated units, of which the first language lies higher by the effect in all. */
export interface FoldModel {
  readonly items: number;
  readonly languages: number;
  readonly folds: number;
  readonly units: number;
  /** Mean of a token's z in the first language over the others', in standard deviations of the token noise. */
  readonly effect: number;
}

/** Standard deviation of what tokens of one item have in common; that of a token's own noise is 1. */
export const ITEM_SPREAD = 0.5;
/** Standard deviation of a token's z in a language. */
export const SPREAD = Math.hypot(ITEM_SPREAD, 1);
/** z above which a neuron fires: 20 % of tokens without an effect. */
const THRESHOLD = 0.8416 * SPREAD;
export const logistic = (z: number) => 1 / (1 + Math.exp(-z));

/** What each statistic adds up over tokens, as a function of the token's z. */
const LINKS = {
  'mlp.fire': (z: number) => (z > THRESHOLD ? 1 : 0),
  'mlp.sum': (z: number) => z,
  'head.norm.sum': (z: number) => Math.exp(z / 2),
  'head.pattern.entropy.sum': (z: number) => 2 * logistic(z),
  'head.pattern.first.sum': (z: number) => logistic(z - 1),
  'head.pattern.previous.sum': (z: number) => logistic(z - 2),
} as const satisfies Partial<Record<StatisticName, (z: number) => number>>;
export type SimulatedStatistic = keyof typeof LINKS;

/** Sums by fold as a run keeps them; languages differ in tokens, as sentences do. */
export function simulateLayer(
  model: FoldModel,
  draws: Draws,
): Pick<RunLayer, 'layer' | 'names' | 'readTokens' | 'readStatistic'> {
  return {
    layer: 0,
    names: new Set(Object.keys(LINKS) as SimulatedStatistic[]),
    readTokens: async () => simulatedTokens(model),
    readStatistic: async (name) => {
      if (!(name in LINKS)) throw new Error(`${name} is not simulated`);
      return simulateSums(model, LINKS[name as SimulatedStatistic], draws);
    },
  };
}

/** [fold, language] */
export function simulatedTokens({ folds, languages, items }: FoldModel): Uint32Array {
  const tokens = new Uint32Array(folds * languages);
  for (let i = 0; i < items; i++) {
    for (let k = 0; k < languages; k++) tokens[(i % folds) * languages + k]! += tokensOf(i, k);
  }
  return tokens;
}

export function tokensOf(item: number, language: number): number {
  return 3 + ((item + 3 * language) % 5);
}

/** [fold, language, unit] */
function simulateSums(
  { items, languages, folds, units, effect }: FoldModel,
  link: (z: number) => number,
  draws: Draws,
): Float64Array {
  const sums = new Float64Array(folds * languages * units);
  for (let u = 0; u < units; u++) {
    for (let i = 0; i < items; i++) {
      const item = ITEM_SPREAD * draws.gaussian();
      for (let k = 0; k < languages; k++) {
        const at = ((i % folds) * languages + k) * units + u;
        const mean = item + (k === 0 ? effect : 0);
        for (let t = tokensOf(i, k); t > 0; t--) sums[at]! += link(mean + draws.gaussian());
      }
    }
  }
  return sums;
}

/** Points of the midpoint rule, over eight standard deviations either side. */
const POINTS = 40_000;

/** Mean of a statistic over infinitely many tokens whose z lies higher by `effect`, by numerical integration. */
export function meanOf(statistic: SimulatedStatistic, effect: number): number {
  const link: (z: number) => number = LINKS[statistic];
  return normalMean((x) => link(effect + SPREAD * x));
}

/** Mean of a function of a standard normal. */
export function normalMean(of: (x: number) => number): number {
  let sum = 0;
  let weights = 0;
  for (let n = 0; n < POINTS; n++) {
    const x = -8 + (16 * (n + 0.5)) / POINTS;
    const weight = Math.exp(-0.5 * x * x);
    sum += weight * of(x);
    weights += weight;
  }
  return sum / weights;
}
