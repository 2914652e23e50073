import { OVERLAP_BINS } from '../src/scores/definitions/distribution-overlap.js';
import { ItemEvaluator } from '../src/scores/samples/item-evaluator.js';
import { itemSamples } from '../src/scores/samples/item-samples.js';
import { itemUncertainty } from '../src/scores/samples/item-uncertainty.js';
import { newItemValues, type Spread } from '../src/scores/samples/item-values.js';
import { Draws } from '../src/stats/sampling/random.js';
import type { CoverageModel, Covered, Trial } from './coverage.js';
import { completeGrid } from './simulated-grid.js';
import { simulateUnit, type UnitModel, unitTruth } from './simulated-units.js';

export const PARTS = { ranks: true, mi: true, selectivity: true, overlap: true };
/** Standard deviation of what an item has in all languages; that of the noise is 1. */
export const ITEM_SPREAD = 1;
/** Units that are resampled alike, as all of a run are. */
const SHARING = 20;
/** Further samples of the same size that say what overlap a unit's edges give on average. */
const OTHER_SAMPLES = 400;

/** Scores that are computed from pooled values, prompt by prompt. */
export async function itemCoverage(
  { items, languages, folds, effect, units, draws: resamples, permutations, seed }: CoverageModel,
  keep: (score: Covered, trial: Trial) => void,
  pause: () => Promise<void>,
): Promise<void> {
  const model: UnitModel = { items, languages, effect, itemSpread: ITEM_SPREAD };
  const grid = completeGrid(items, languages, folds);
  const evaluator = new ItemEvaluator(grid);
  const draws = new Draws(seed + 1);
  const others = Array.from({ length: OTHER_SAMPLES }, () => simulateUnit(model, draws));
  const truth = unitTruth(model);
  const held = (score: Covered, own: number, { low, high }: Pick<Spread, 'low' | 'high'>) =>
    keep(score, { truth: own, low, high });

  let samples = itemSamples(grid, [], null);
  for (let u = 0; u < units; u++) {
    if (u % SHARING === 0) {
      await pause();
      samples = itemSamples(grid, [], { draws: resamples, permutations, seed: seed + 7919 * (u + 1) });
    }
    const values = simulateUnit(model, draws);
    const whole = newItemValues(languages);
    evaluator.load(values, PARTS);
    evaluator.evaluate(samples.whole, PARTS, whole);
    const own = itemUncertainty(evaluator, samples, PARTS, whole);
    held('selectivity', truth.selectivity, own.selectivity![0]!);
    held('auroc', truth.auroc, own.auroc![0]!);
    held('ap', truth.ap, own.ap![0]!);
    held('mi', truth.mi, own.mi!);
    const overlap = expectedOverlap(values, others, languages);
    held('overlap', overlap.mean, own.overlapMean!);
    held('overlapOfLanguage', overlap.ofFirst, own.overlap![0]!);
  }
}

/**
 * Mean overlap of other samples of the same size, in bins between the least and the highest value of this one: of all
 * pairs of languages, and of the first with the others.
 */
function expectedOverlap(values: Float32Array, others: readonly Float32Array[], languages: number) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const scale = OVERLAP_BINS / (high - low);
  const items = values.length / languages;
  const counts = new Int32Array(languages * OVERLAP_BINS);
  let [all, first] = [0, 0];
  for (const other of others) {
    counts.fill(0);
    for (let n = 0; n < other.length; n++) {
      const bin = Math.min(OVERLAP_BINS - 1, Math.max(0, Math.floor((other[n]! - low) * scale)));
      counts[(n % languages) * OVERLAP_BINS + bin]! += 1;
    }
    for (let a = 0; a < languages; a++) {
      for (let c = a + 1; c < languages; c++) {
        let common = 0;
        for (let b = 0; b < OVERLAP_BINS; b++) {
          common += Math.min(counts[a * OVERLAP_BINS + b]!, counts[c * OVERLAP_BINS + b]!);
        }
        all += common;
        if (a === 0) first += common;
      }
    }
  }
  const samples = others.length * items;
  const pairs = (languages * (languages - 1)) / 2;
  return { mean: all / (samples * pairs), ofFirst: first / (samples * (languages - 1)) };
}
