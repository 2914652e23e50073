import type { VarianceScore } from '../src/scores/definition.js';
import { SCORE_DEFINITIONS } from '../src/scores/definitions/index.js';
import { scoreVariance } from '../src/scores/engine/score-variance.js';
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
  /** Every score of the list has its truth by the name of its coverage. */
  const truths: Readonly<Record<string, number>> = {
    ...truth,
    vectorShareLanguage: truth.eta2Language,
    vectorShareItem: truth.eta2Item,
  };
  const held = (from: VarianceScore['from'], values: Float32Array) => {
    const own = SCORE_DEFINITIONS.filter((one): one is VarianceScore => one.from === from);
    const scored = scoreVariance({ unitStart: 0, unitEnd: 1, values }, grid, own, new Map());
    for (const { name, coverage } of own) {
      if (coverage === null) continue;
      const [low, high] = [scored[`${name}_low`]![0]!, scored[`${name}_high`]![0]!];
      keep(coverage as Covered, { truth: truths[coverage]!, low, high });
    }
  };
  for (let u = 0; u < units; u++) {
    if (u % PAUSE === 0) await pause();
    held('values', simulateUnit(model, draws));
    held('vectors', simulateVectors(model, HEAD_DIM, draws));
  }
}
