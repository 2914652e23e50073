import type { JackknifeBounds } from '../../stats/index.js';
import type { RunLayer, ScoredType, StatisticName } from '../../store/index.js';
import { type FoldScore, MEANS_OF_LANGUAGES } from '../definition.js';

const SUMS: Readonly<Record<ScoredType, StatisticName>> = {
  neuron: 'mlp.sum',
  head: 'head.norm.sum',
  expert: 'expert.prob.sum',
  residual: 'resid.sum',
};

/** Means over tokens lie in this range. */
export const MEAN_BOUNDS: Partial<Record<StatisticName, JackknifeBounds>> = {
  'mlp.fire': { min: 0, max: 1 },
  'mlp.rate.sum': { min: 0, max: 1 },
  'head.norm.sum': { min: 0 },
  'expert.count': { min: 0, max: 1 },
  'expert.prob.sum': { min: 0, max: 1 },
};

/** Sums that means are made of; imported counts have none. */
export function meanSums(type: ScoredType, names: RunLayer['names']): StatisticName | null {
  const imported = 'head.importance.sum';
  const sums = type === 'head' && names.has(imported) ? imported : SUMS[type];
  return names.has(sums) ? sums : null;
}

/**
 * Mean of a unit over a language's counted tokens. Of an expert it is the router mass, the mean probability that the router
 * gives it, chosen or not (the P of the load balancing loss of Fedus et al., JMLR 2022), which sums to 1 over a layer where
 * the router is a softmax.
 */
export const meanScore: FoldScore = {
  ...MEANS_OF_LANGUAGES,
  name: 'mean',
  title: 'Mean',
  source: 'of router mass: Fedus et al., JMLR 2022',
  asked: null,
  about:
    'mean over counted tokens of hook_post (neuron; of an expert, over the tokens routed to it), ‖z_h W_O,h‖ (head; or imported importance), hook_router (expert: router mass) or hook_resid_post (residual)',
  range: 'heads 0 …, experts 0 … 1',
  sums: meanSums,
  evaluate: (means) => means,
  bounds: (statistic) => MEAN_BOUNDS[statistic] ?? {},
  span: () => Infinity,
  coverage: 'mean',
};
