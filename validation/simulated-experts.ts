import type { Draws } from '../src/stats/sampling/random.js';
import { normalUpperTail } from '../src/stats/tests/distributions.js';
import type { RunLayer } from '../src/store/run/open-run.js';
import {
  type FoldModel,
  ITEM_SPREAD,
  logistic,
  normalMean,
  SPREAD,
  simulatedTokens,
  tokensOf,
} from './simulated-folds.js';

/** Experts of a simulated router, and how many of them a token goes to. */
const EXPERTS = 8;
const PER_TOKEN = 2;

/**
 * Sums by fold of simulated experts, each of a router of its own: a token's logits are normal and alike but for that expert's,
 * which lies higher by the effect in the first language; the token goes to the experts of the two highest. Probabilities
 * are sigmoids of the logits (as DeepSeek-V3's), so that their means are known.
 */
export function simulateExperts(
  model: FoldModel,
  draws: Draws,
): Pick<RunLayer, 'layer' | 'names' | 'readTokens' | 'readStatistic'> {
  const { items, languages, folds, units, effect } = model;
  const chosen = new Float64Array(folds * languages * units);
  const mass = new Float64Array(folds * languages * units);
  const ofItem = new Float64Array(EXPERTS);
  for (let u = 0; u < units; u++) {
    for (let i = 0; i < items; i++) {
      for (let e = 0; e < EXPERTS; e++) ofItem[e] = ITEM_SPREAD * draws.gaussian();
      for (let k = 0; k < languages; k++) {
        const at = ((i % folds) * languages + k) * units + u;
        for (let t = tokensOf(i, k); t > 0; t--) {
          const own = ofItem[0]! + draws.gaussian() + (k === 0 ? effect : 0);
          let above = 0;
          for (let e = 1; e < EXPERTS; e++) if (ofItem[e]! + draws.gaussian() > own) above++;
          if (above < PER_TOKEN) chosen[at]! += 1;
          mass[at]! += logistic(own);
        }
      }
    }
  }
  return {
    layer: 0,
    names: new Set(['expert.count', 'expert.prob.sum']),
    readTokens: async () => simulatedTokens(model),
    readStatistic: async (name) => (name === 'expert.count' ? chosen : mass),
  };
}

/** Selection frequency over infinitely many tokens: fewer than PER_TOKEN of the others lie higher. */
export function selectionTruth(effect: number): number {
  return normalMean((x) => {
    const above = upperTail(x + effect / SPREAD);
    let sum = 0;
    let ways = 1;
    for (let n = 0; n < PER_TOKEN; n++) {
      sum += ways * above ** n * (1 - above) ** (EXPERTS - 1 - n);
      ways *= (EXPERTS - 1 - n) / (n + 1);
    }
    return sum;
  });
}

/** Router mass likewise. */
export function massTruth(effect: number): number {
  return normalMean((x) => logistic(effect + SPREAD * x));
}

function upperTail(z: number): number {
  return z < 0 ? 1 - normalUpperTail(-z) : normalUpperTail(z);
}
