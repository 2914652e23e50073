import type { UnitArray } from '../src/scores/score-arrays.js';
import { scoreTwoWay, scoreVectorShare } from '../src/scores/score-two-way.js';
import { Draws } from '../src/stats/sampling/random.js';
import type { CoverageModel, Covered, Trial } from './coverage.js';
import { ITEM_SPREAD } from './coverage-of-items.js';
import { completeGrid } from './simulated-grid.js';
import { sharesTruth, simulateUnit, simulateVectors, type UnitModel } from './simulated-units.js';

/** Dimensions of a simulated head. */
const HEAD_DIM = 8;
/** Units between pauses. */
const PAUSE = 20;

/** Shares of variance: of pooled values, and of heads' vectors. */
export async function varianceCoverage(
  { items, languages, folds, effect, units, firstNoise, seed }: CoverageModel,
  keep: (score: Covered, trial: Trial) => void,
  pause: () => Promise<void>,
): Promise<void> {
  const model: UnitModel = { items, languages, effect, itemSpread: ITEM_SPREAD, firstNoise };
  const grid = completeGrid(items, languages, folds);
  const draws = new Draws(seed + 2);
  const truth = sharesTruth(model);
  const held = (
    score: Covered,
    own: number,
    arrays: Partial<Record<UnitArray, Float64Array>>,
    name: string,
  ) =>
    keep(score, {
      truth: own,
      low: arrays[`${name}_low` as UnitArray]![0]!,
      high: arrays[`${name}_high` as UnitArray]![0]!,
    });
  for (let u = 0; u < units; u++) {
    if (u % PAUSE === 0) await pause();
    const unit = { unitStart: 0, unitEnd: 1 };
    const twoWay = scoreTwoWay({ ...unit, values: simulateUnit(model, draws) }, grid, new Map());
    held('omega2Language', truth.omega2Language, twoWay, 'omega2_language');
    held('omega2Item', truth.omega2Item, twoWay, 'omega2_item');
    held('eta2Language', truth.eta2Language, twoWay, 'eta2_language');
    held('eta2Item', truth.eta2Item, twoWay, 'eta2_item');
    const vectors = simulateVectors(model, HEAD_DIM, draws);
    const shares = scoreVectorShare({ ...unit, values: vectors }, grid, new Map());
    held('vectorShareLanguage', truth.eta2Language, shares, 'vector_share_language');
    held('vectorShareItem', truth.eta2Item, shares, 'vector_share_item');
  }
}
