import { wilsonInterval } from '../src/stats/intervals/bootstrap.js';
import { foldCoverage } from './coverage-of-folds.js';
import { itemCoverage } from './coverage-of-items.js';
import { varianceCoverage } from './coverage-of-variance.js';

/** What an interval is to hold: the score of infinitely many items, or what it is on average at this number of them. */
export type Estimand = 'population' | 'at this number of items';

/** Scores whose intervals are put to the test, and what each is to hold. */
export const COVERED = {
  rate: 'population',
  mean: 'population',
  contrast: 'population',
  lape: 'population',
  headNorm: 'population',
  headContrast: 'population',
  patternEntropy: 'population',
  patternFirst: 'population',
  patternPrevious: 'population',
  expertFrequency: 'population',
  expertMass: 'population',
  expertLape: 'population',
  exclusivity: 'population',
  omega2Language: 'population',
  omega2Item: 'population',
  eta2Language: 'at this number of items',
  eta2Item: 'at this number of items',
  vectorShareLanguage: 'at this number of items',
  vectorShareItem: 'at this number of items',
  selectivity: 'population',
  auroc: 'population',
  ap: 'population',
  mi: 'population',
  overlap: 'at this number of items',
  overlapOfLanguage: 'at this number of items',
} as const satisfies Record<string, Estimand>;
export type Covered = keyof typeof COVERED;

/** How often a nominal 95 % interval held the truth. */
export interface Coverage {
  readonly score: Covered;
  readonly estimand: Estimand;
  /** How much higher the first language lies, in standard deviations of the noise of prompts (of tokens, where folds are summed). */
  readonly effect: number;
  /** Mean over units: the truth of `overlap` is each unit's own. */
  readonly truth: number;
  readonly units: number;
  readonly covered: number;
  readonly share: number;
  /** Wilson's 95 % interval of the share. */
  readonly low: number;
  readonly high: number;
  /** Shares of the intervals that lay wholly below the truth, and above it. */
  readonly below: number;
  readonly above: number;
}

export interface CoverageModel {
  readonly items: number;
  readonly languages: number;
  readonly folds: number;
  readonly effect: number;
  readonly units: number;
  /** Bootstrap draws, and permutations that the interval of mutual information is centred by. */
  readonly draws: number;
  readonly permutations: number;
  /** Standard deviation of the first language's noise in pooled values; of the others' it is 1. Of shares of variance alone. */
  readonly firstNoise: number;
  readonly seed: number;
}

/** Scores by what they follow from: sums by fold, the two-way decomposition, pooled values prompt by prompt. */
export type CoveragePart = 'folds' | 'variance' | 'items';

/** An interval beside the truth it is to hold. */
export interface Trial {
  readonly truth: number;
  readonly low: number;
  readonly high: number;
}

/** Coverage of the intervals of every score, by the code that scores a run, on units simulated with one effect. */
export async function measureCoverage(
  model: CoverageModel,
  parts: readonly CoveragePart[],
  pause: () => Promise<void>,
): Promise<Coverage[]> {
  const trials = new Map<Covered, Trial[]>();
  const keep = (score: Covered, trial: Trial): void => {
    const own = trials.get(score);
    if (own === undefined) trials.set(score, [trial]);
    else own.push(trial);
  };
  if (parts.includes('folds')) await foldCoverage(model, keep);
  if (parts.includes('variance')) await varianceCoverage(model, keep, pause);
  if (parts.includes('items')) await itemCoverage(model, keep, pause);
  const measured = (Object.keys(COVERED) as Covered[]).filter((score) => trials.has(score));
  return measured.map((score): Coverage => {
    const own = trials.get(score)!;
    const units = own.length;
    // Of a score at the end of its range, the truth and the interval's end are the same but for rounding.
    const below = own.filter(({ truth, high }) => high < truth - ROUNDING).length;
    const above = own.filter(({ truth, low }) => low > truth + ROUNDING).length;
    const covered = own.filter((trial) => holds(trial)).length;
    const [low, high] = wilsonInterval(covered, units);
    return {
      score,
      estimand: COVERED[score],
      effect: model.effect,
      truth: own.reduce((sum, { truth }) => sum + truth, 0) / units,
      units,
      covered,
      share: covered / units,
      low,
      high,
      below: below / units,
      above: above / units,
    };
  });
}

const ROUNDING = 1e-9;

function holds({ truth, low, high }: Trial): boolean {
  return low <= truth + ROUNDING && truth <= high + ROUNDING;
}
