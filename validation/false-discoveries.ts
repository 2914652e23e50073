import { InterruptedError } from '../src/errors.js';
import { wilsonInterval } from '../src/stats/intervals/bootstrap.js';
import { Draws } from '../src/stats/sampling/random.js';
import { benjaminiHochberg } from '../src/stats/tests/benjamini-hochberg.js';
import { studentTQuantile } from '../src/stats/tests/distributions.js';
import { itemSignFlip, withinItemPermutation } from './within-item-permutation.js';

/** A way in which pooled values of units may come about. */
export interface Scenario {
  readonly name: string;
  /** What is true of the units, in words. */
  readonly about: string;
  /** How many of the units are tied to one language. */
  readonly tied: number;
  /** Correlation of the noise of units in one block; default 0. */
  readonly correlation?: number;
  /** Standard deviation of the noise in the last language, relative to the first; default 1. */
  readonly unevenness?: number;
}

/** Units of one simulated set. So few that a single p of 1/1001 can pass Benjamini–Hochberg at 0.05. */
export const SIMULATED_UNITS = 50;
const ITEMS = 40;
const LANGUAGES = 5;
/** Units whose noise is shared, where it is. */
const BLOCK = 10;
/** Mean of a tied unit's language over the others', in standard deviations of the noise. */
const EFFECT = 1;
/** Standard deviation of item effects, relative to the noise: items differ more than languages do. */
const ITEM_EFFECT = 2;

export const SCENARIOS: readonly Scenario[] = [
  { name: 'null', about: 'no unit is tied to a language', tied: 0 },
  { name: 'tied', about: '10 of 50 units are tied', tied: 10 },
  {
    name: 'tied, correlated',
    about: '10 of 50 units are tied, noise correlates 0.5 in blocks of ten',
    tied: 10,
    correlation: 0.5,
  },
  {
    name: 'tied, uneven',
    about: '10 of 50 units are tied, noise is up to three times as large in some languages',
    tied: 10,
    unevenness: 3,
  },
];

/** Tests that p-values come from. */
export const TESTS = { permutation: withinItemPermutation, 'sign flip': itemSignFlip } as const;
export type TestName = keyof typeof TESTS;

export interface FalseDiscoveryOptions {
  /** Simulated sets of units a scenario. Default 200. */
  readonly sets?: number;
  /** Default 1000 (docs/scores.md). */
  readonly permutations?: number;
  /** Nominal rates. Default 0.01, 0.05, 0.1, 0.2. */
  readonly nominal?: readonly number[];
  readonly scenarios?: readonly Scenario[];
  readonly seed?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What calling units tied by q gave, over all sets of a scenario. */
export interface FalseDiscoveryRate {
  readonly test: TestName;
  readonly scenario: string;
  readonly about: string;
  readonly sets: number;
  readonly units: number;
  readonly tied: number;
  readonly permutations: number;
  readonly nominal: number;
  /** Mean over sets of false discoveries / max(1, discoveries), and its 95 % Monte-Carlo interval. */
  readonly realised: number;
  readonly low: number;
  readonly high: number;
  /** Share of tied units that were discovered; null if there are none. */
  readonly power: number | null;
}

/**
 * Realised false-discovery rate of permutation p-values with Benjamini–Hochberg q over units, on simulated pooled
 * values x_{i,k} = item_i + language_k + noise of which it is known which units are tied to a language.
 */
export async function falseDiscoveryRates({
  sets = 200,
  permutations = 1000,
  nominal = [0.01, 0.05, 0.1, 0.2],
  scenarios = SCENARIOS,
  seed = 0,
  signal,
}: FalseDiscoveryOptions = {}): Promise<FalseDiscoveryRate[]> {
  const rates: FalseDiscoveryRate[] = [];
  for (const [s, scenario] of scenarios.entries()) {
    const tallies = (Object.keys(TESTS) as TestName[]).map((test) => ({
      test,
      proportions: nominal.map((): number[] => []),
      found: nominal.map(() => 0),
    }));
    for (let set = 0; set < sets; set++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (signal?.aborted) throw new InterruptedError({ what: 'interrupted' }, { cause: signal.reason });
      const own = seed + 1_000_003 * s + 2 * set;
      const values = simulate(scenario, own);
      for (const { test, proportions, found } of tallies) {
        const q = benjaminiHochberg(TESTS[test](values, { permutations, seed: own + 1 }));
        for (const [n, rate] of nominal.entries()) {
          const discovered = Array.from(q.keys()).filter((unit) => q[unit]! <= rate);
          const right = discovered.filter((unit) => unit < scenario.tied).length;
          proportions[n]!.push((discovered.length - right) / Math.max(1, discovered.length));
          found[n]! += right;
        }
      }
    }
    for (const { test, proportions, found } of tallies) {
      for (const [n, rate] of nominal.entries()) {
        const { mean, low, high } = monteCarlo(proportions[n]!);
        rates.push({
          test,
          scenario: scenario.name,
          about: scenario.about,
          sets,
          units: SIMULATED_UNITS,
          tied: scenario.tied,
          permutations,
          nominal: rate,
          realised: mean,
          low,
          high,
          power: scenario.tied === 0 ? null : found[n]! / (sets * scenario.tied),
        });
      }
    }
  }
  return rates;
}

/** One set of units; the first `tied` of them are tied to a language. */
export function simulate({ tied, correlation = 0, unevenness = 1 }: Scenario, seed: number) {
  const draws = new Draws(seed);
  const [items, languages, units] = [ITEMS, LANGUAGES, SIMULATED_UNITS];
  const values = new Float64Array(items * languages * units);
  const shared = new Float64Array(units / BLOCK);
  const item = new Float64Array(units);
  for (let i = 0; i < items; i++) {
    for (let u = 0; u < units; u++) item[u] = ITEM_EFFECT * draws.gaussian();
    for (let k = 0; k < languages; k++) {
      for (let b = 0; b < shared.length; b++) shared[b] = draws.gaussian();
      const loudness = unevenness ** (k / (languages - 1));
      for (let u = 0; u < units; u++) {
        // Tied units are spread over the blocks.
        const noise =
          Math.sqrt(correlation) * shared[u % shared.length]! + Math.sqrt(1 - correlation) * draws.gaussian();
        const effect = u < tied && u % languages === k ? EFFECT : 0;
        values[(i * languages + k) * units + u] = item[u]! + effect + loudness * noise;
      }
    }
  }
  return { values, items, languages, units };
}

/** Mean with its 95 % interval: Wilson's where every value is 0 or 1, else Student's, clipped to 0 … 1. */
function monteCarlo(values: readonly number[]): { mean: number; low: number; high: number } {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  if (values.every((value) => value === 0 || value === 1)) {
    const [low, high] = wilsonInterval(Math.round(mean * n), n);
    return { mean, low, high };
  }
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  const half = studentTQuantile(0.975, n - 1) * Math.sqrt(variance / n);
  return { mean, low: Math.max(0, mean - half), high: Math.min(1, mean + half) };
}
