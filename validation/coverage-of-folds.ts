import type { FoldScore } from '../src/scores/definition.js';
import { exclusivity } from '../src/scores/definitions/exclusivity.js';
import { SCORE_DEFINITIONS } from '../src/scores/definitions/index.js';
import { lape } from '../src/scores/definitions/lape.js';
import { scoreFolds } from '../src/scores/engine/score-folds.js';
import type { ScoredPiece } from '../src/scores/engine/scored-piece.js';
import { Draws } from '../src/stats/sampling/random.js';
import type { CoverageModel, Covered, Trial } from './coverage.js';
import { massTruth, selectionTruth, simulateExperts } from './simulated-experts.js';
import { meanOf, type SimulatedStatistic, simulateLayer } from './simulated-folds.js';

/** Scores that follow from sums by fold: rates, means, contrasts, LAPE, head norms, pattern summaries. */
export async function foldCoverage(
  model: CoverageModel,
  keep: (score: Covered, trial: Trial) => void,
): Promise<void> {
  const { folds, languages, units, effect } = model;
  const draws = new Draws(model.seed);
  const layer = simulateLayer(model, draws);
  const shape = { folds, languages, units };
  const scored = async (own: typeof layer, type: 'neuron' | 'head' | 'expert') =>
    scoreFolds(
      own,
      { type, unitStart: 0, unitEnd: units },
      await own.readTokens(),
      shape,
      SCORE_DEFINITIONS.filter((one): one is FoldScore => one.from === 'folds' && one.types.includes(type)),
      new Map(),
    );
  const neurons = await scored(layer, 'neuron');
  const heads = await scored(layer, 'head');
  const experts = await scored(simulateExperts(model, draws), 'expert');

  const difference = (statistic: SimulatedStatistic) => meanOf(statistic, effect) - meanOf(statistic, 0);
  // The first language comes first: [language, unit].
  const inFirst = (score: Covered, { ofLanguages }: ScoredPiece, name: string, truth: number) =>
    keepAll(score, truth, ofLanguages[`${name}_low`], ofLanguages[`${name}_high`]);
  const ofUnits = (
    score: Covered,
    { ofUnits: own }: ScoredPiece,
    name: 'lape' | 'exclusivity',
    truth: number,
  ) => keepAll(score, truth, own[`${name}_low`], own[`${name}_high`]);
  const keepAll = (
    score: Covered,
    truth: number,
    low: Float64Array | undefined,
    high: Float64Array | undefined,
  ) => {
    for (let u = 0; u < units; u++) keep(score, { truth, low: low![u]!, high: high![u]! });
  };
  inFirst('rate', neurons, 'rate', meanOf('mlp.fire', effect));
  inFirst('mean', neurons, 'mean', meanOf('mlp.sum', effect));
  inFirst('contrast', neurons, 'contrast', difference('mlp.sum'));
  inFirst('headNorm', heads, 'mean', meanOf('head.norm.sum', effect));
  inFirst('headContrast', heads, 'contrast', difference('head.norm.sum'));
  inFirst('patternEntropy', heads, 'pattern_entropy', meanOf('head.pattern.entropy.sum', effect));
  inFirst('patternFirst', heads, 'pattern_first', meanOf('head.pattern.first.sum', effect));
  inFirst('patternPrevious', heads, 'pattern_previous', meanOf('head.pattern.previous.sum', effect));
  inFirst('expertFrequency', experts, 'rate', selectionTruth(effect));
  inFirst('expertMass', experts, 'mean', massTruth(effect));

  /** [language] */
  const all = (of: (own: number) => number) =>
    Float64Array.from({ length: languages }, (_, k) => of(k === 0 ? effect : 0));
  const rates = all((own) => meanOf('mlp.fire', own));
  const frequencies = all(selectionTruth);
  ofUnits('lape', neurons, 'lape', lape(rates, languages)[0]!);
  ofUnits('expertLape', experts, 'lape', lape(frequencies, languages)[0]!);
  ofUnits('exclusivity', experts, 'exclusivity', exclusivity(frequencies, languages)[0]!);
}
