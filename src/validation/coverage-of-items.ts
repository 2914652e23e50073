import { OVERLAP_BINS } from '../scores/distribution-overlap.js';
import { ItemEvaluator, newItemValues } from '../scores/item-evaluator.js';
import { itemSamples } from '../scores/item-samples.js';
import { itemUncertainty, type Spread } from '../scores/item-uncertainty.js';
import type { UnitArray } from '../scores/score-arrays.js';
import { scoreTwoWay, scoreVectorShare } from '../scores/score-two-way.js';
import { Draws } from '../stats/draws.js';
import type { CoverageModel, Covered, Trial } from './coverage.js';
import { completeGrid } from './simulated-grid.js';
import { sharesTruth, simulateUnit, simulateVectors, type UnitModel, unitTruth } from './simulated-units.js';

export const PARTS = { ranks: true, mi: true, selectivity: true, overlap: true };
/** Standard deviation of what an item has in all languages; that of the noise is 1. */
export const ITEM_SPREAD = 1;
/** Units that are resampled alike, as all of a run are. */
const SHARING = 20;
/** Dimensions of a simulated head. */
const HEAD_DIM = 8;
/** Further samples of the same size that say what overlap a unit's edges give on average. */
const OTHER_SAMPLES = 400;

/** Scores that are computed from pooled values, item by item. */
export async function pooledCoverage(
  { items, languages, folds, effect, units, draws: resamples, permutations, seed }: CoverageModel,
  keep: (score: Covered, trial: Trial) => void,
  pause: () => Promise<void>,
): Promise<void> {
  const model: UnitModel = { items, languages, effect, itemSpread: ITEM_SPREAD };
  const grid = completeGrid(items, languages, folds);
  const evaluator = new ItemEvaluator(grid);
  const draws = new Draws(seed + 1);
  const others = Array.from({ length: OTHER_SAMPLES }, () => simulateUnit(model, draws));
  const [shares, truth] = [sharesTruth(model), unitTruth(model)];
  const held = (score: Covered, own: number, { low, high }: Pick<Spread, 'low' | 'high'>) =>
    keep(score, { truth: own, low, high });
  const ends = (arrays: Partial<Record<UnitArray, Float64Array>>, name: string) => ({
    low: arrays[`${name}_low` as UnitArray]![0]!,
    high: arrays[`${name}_high` as UnitArray]![0]!,
  });

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
    const best = whole.selectivity.indexOf(Math.max(...whole.selectivity));
    // Each of the others lies below the rest by its share of what the first lies above it.
    const ofBest = best === 0 ? truth.selectivity : -truth.selectivity / (languages - 1);
    held('selectivityBest', ofBest, own.selectivity![best]!);
    const overlap = expectedOverlap(values, others, languages);
    held('overlap', overlap.mean, own.overlapMean!);
    held('overlapOfLanguage', overlap.ofFirst, own.overlap![0]!);

    const twoWay = scoreTwoWay({ unitStart: 0, unitEnd: 1, values }, grid, new Map());
    held('omega2Language', shares.omega2Language, ends(twoWay, 'omega2_language'));
    held('omega2Item', shares.omega2Item, ends(twoWay, 'omega2_item'));
    held('eta2Language', shares.eta2Language, ends(twoWay, 'eta2_language'));
    held('eta2Item', shares.eta2Item, ends(twoWay, 'eta2_item'));
    const head = { unitStart: 0, unitEnd: 1, values: simulateVectors(model, HEAD_DIM, draws) };
    const vectors = scoreVectorShare(head, grid, new Map());
    held('vectorShareLanguage', shares.eta2Language, ends(vectors, 'vector_share_language'));
    held('vectorShareItem', shares.eta2Item, ends(vectors, 'vector_share_item'));
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
