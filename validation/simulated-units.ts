import type { Draws } from '../src/stats/sampling/random.js';

/** Pooled values of simulated units: item_i + effect in the first language + noise, all normal. */
export interface UnitModel {
  readonly items: number;
  readonly languages: number;
  /** Mean of the first language over the others'. */
  readonly effect: number;
  /** Standard deviation of what an item has in all languages; that of the noise is 1. */
  readonly itemSpread: number;
  /** Standard deviation of the noise in the first language; of the others' it is 1. Default 1. */
  readonly firstNoise?: number;
}

/** [item, language], languages in order. */
export function simulateUnit(model: UnitModel, draws: Draws): Float32Array {
  return simulateVectors(model, 1, draws);
}

/** [item, language, dimension]: dimensions are independent, and the effect is the same in each. */
export function simulateVectors(
  { items, languages, effect, itemSpread, firstNoise = 1 }: UnitModel,
  size: number,
  draws: Draws,
): Float32Array {
  const values = new Float32Array(items * languages * size);
  const item = new Float64Array(size);
  for (let i = 0; i < items; i++) {
    for (let d = 0; d < size; d++) item[d] = itemSpread * draws.gaussian();
    for (let k = 0; k < languages; k++) {
      const at = (i * languages + k) * size;
      const [mean, noise] = k === 0 ? [effect, firstNoise] : [0, 1];
      for (let d = 0; d < size; d++) values[at + d] = item[d]! + mean + noise * draws.gaussian();
    }
  }
  return values;
}

/** Shares of variance, of language and of item: with infinitely many items, and at the model's number of them. */
export interface SharesTruth {
  readonly omega2Language: number;
  readonly omega2Item: number;
  /** E SS / E SS_total: what η² and vector shares, which are not corrected for bias, are about. */
  readonly eta2Language: number;
  readonly eta2Item: number;
}

/** From the expected mean squares of the two-way layout (Scheffé, 1959). */
export function sharesTruth(model: UnitModel): SharesTruth {
  const { items, languages, effect, itemSpread, firstNoise = 1 } = model;
  const between = (effect ** 2 * (languages - 1)) / languages ** 2;
  /** Variance of the noise, mean over languages. */
  const noise = (firstNoise ** 2 + languages - 1) / languages;
  const language = items * languages * between + (languages - 1) * noise;
  const item = (items - 1) * (languages * itemSpread ** 2 + noise);
  const total = language + item + (items - 1) * (languages - 1) * noise;
  return {
    omega2Language: between / (between + itemSpread ** 2 + noise),
    omega2Item: itemSpread ** 2 / (between + itemSpread ** 2 + noise),
    eta2Language: language / total,
    eta2Item: item / total,
  };
}

/** What the scores of the first language would be with infinitely many items. */
export interface UnitTruth {
  readonly ap: number;
  readonly auroc: number;
  readonly selectivity: number;
  readonly mi: number;
}

/** Points of the midpoint rule; doubling them changes no truth by 1e-6. */
const POINTS = 20_000;
/** Of mutual information. */
const BINS = 16;

/** From the distributions themselves, of equal noise, by numerical integration. */
export function unitTruth({ languages, effect, itemSpread }: UnitModel): UnitTruth {
  const spread = Math.hypot(itemSpread, 1);
  const [low, high] = [-9 * spread, 9 * spread + effect];
  const step = (high - low) / POINTS;
  const share = 1 / languages;
  const density = (x: number, mean: number) =>
    Math.exp(-0.5 * ((x - mean) / spread) ** 2) / (spread * Math.sqrt(2 * Math.PI));
  let ap = 0;
  let auroc = 0;
  // From the highest value down: what lies above so far, of the language and of the rest.
  let own = 0;
  let rest = 0;
  const joint = new Float64Array(BINS * 2);
  for (let i = POINTS - 1; i >= 0; i--) {
    const x = low + (i + 0.5) * step;
    const [f, g] = [density(x, effect) * step, density(x, 0) * step];
    const [ownHere, restHere] = [own + f / 2, rest + g / 2];
    ap += (f * share * ownHere) / (share * ownHere + (1 - share) * restHere);
    auroc += f * (1 - restHere);
    const above = share * ownHere + (1 - share) * restHere;
    const bin = Math.min(BINS - 1, Math.floor(BINS * above));
    joint[2 * bin]! += share * f;
    joint[2 * bin + 1]! += (1 - share) * g;
    own += f;
    rest += g;
  }
  let mi = 0;
  for (let b = 0; b < BINS; b++) {
    const [p, q] = [joint[2 * b]!, joint[2 * b + 1]!];
    // The other languages are alike: each holds an equal part of what is not the first's.
    mi += p * Math.log(p / (share * (p + q))) + q * Math.log(q / ((1 - share) * (p + q)));
  }
  return { ap, auroc, selectivity: effect / spread, mi };
}
