import { lape } from '../scores/lape.js';
import type { LanguageArray } from '../scores/score-arrays.js';
import { scoreFolds } from '../scores/score-folds.js';
import type { ScoredPiece } from '../scores/scored-piece.js';
import { Draws } from '../stats/draws.js';
import { LAYER_ARRAYS } from '../store/manifest.js';
import type { CoverageModel, Covered, Trial } from './coverage.js';
import { meanOf, type SimulatedStatistic, simulateLayer } from './simulated-folds.js';

/** Scores that follow from sums by fold: rates, means, contrasts, LAPE, head norms, pattern summaries. */
export async function foldCoverage(
  model: CoverageModel,
  keep: (score: Covered, trial: Trial) => void,
): Promise<void> {
  const { folds, languages, units, effect } = model;
  const layer = simulateLayer(model, new Draws(model.seed));
  const shape = { folds, languages, units };
  const tokens = await layer.readTokens();
  const scored = (type: 'neuron' | 'head') =>
    scoreFolds(
      layer,
      { type, unitStart: 0, unitEnd: units },
      tokens,
      shape,
      new Set(['lape', 'pattern']),
      new Map(),
    );
  const neurons = await scored('neuron');
  const heads = await scored('head');

  const difference = (statistic: SimulatedStatistic) => meanOf(statistic, effect) - meanOf(statistic, 0);
  const inFirst = (score: Covered, piece: ScoredPiece, name: LanguageArray, truth: number) => {
    // The first language comes first: [language, unit].
    const [low, high] = [
      piece.ofLanguages[`${name}_low` as LanguageArray]!,
      piece.ofLanguages[`${name}_high` as LanguageArray]!,
    ];
    for (let u = 0; u < units; u++) keep(score, { truth, low: low[u]!, high: high[u]! });
  };
  inFirst('rate', neurons, 'rate', meanOf(LAYER_ARRAYS.mlpFire, effect));
  inFirst('mean', neurons, 'mean', meanOf(LAYER_ARRAYS.mlpSum, effect));
  inFirst('contrast', neurons, 'contrast', difference(LAYER_ARRAYS.mlpSum));
  inFirst('headNorm', heads, 'mean', meanOf(LAYER_ARRAYS.headNormSum, effect));
  inFirst('headContrast', heads, 'contrast', difference(LAYER_ARRAYS.headNormSum));
  inFirst('patternEntropy', heads, 'pattern_entropy', meanOf(LAYER_ARRAYS.patternEntropySum, effect));
  inFirst('patternFirst', heads, 'pattern_first', meanOf(LAYER_ARRAYS.patternFirstSum, effect));
  inFirst('patternPrevious', heads, 'pattern_previous', meanOf(LAYER_ARRAYS.patternPreviousSum, effect));

  const rates = Float64Array.from({ length: languages }, (_, k) =>
    meanOf(LAYER_ARRAYS.mlpFire, k === 0 ? effect : 0),
  );
  const truth = lape(rates, languages)[0]!;
  const { lape_low: low, lape_high: high } = neurons.ofUnits;
  for (let u = 0; u < units; u++) keep('lape', { truth, low: low![u]!, high: high![u]! });
}
