import type { RunLayer, ScoredType, StatisticName } from '../../store/index.js';
import { type FoldScore, MEANS_OF_LANGUAGES } from '../definition.js';
import { MEAN_BOUNDS } from './mean.js';

const SUMS: Readonly<Record<ScoredType, StatisticName | null>> = {
  neuron: 'mlp.fire',
  head: 'head.norm.sum',
  expert: 'expert.count',
  residual: null,
};

/** Sums that rates are made of: of heads, importances where those were imported, of neurons rates where only these were. */
export function rateSums(type: ScoredType, names: RunLayer['names']): StatisticName | null {
  if (type === 'neuron' && names.has('mlp.rate.sum')) return 'mlp.rate.sum';
  return type === 'head' && names.has('head.importance.sum') ? 'head.importance.sum' : SUMS[type];
}

/**
 * Rate of a unit in a language. Of a neuron the firing rate #{t : hook_pre(t) > 0} / T (the activation probability of Tang
 * et al., ACL 2024); of an expert the selection frequency, the share of counted tokens whose top-k choice includes it
 * (Muennighoff et al., OLMoE, 2024; Fedus et al., JMLR 2022), which sums to k over a layer; of a head its mean norm.
 */
export const rateScore: FoldScore = {
  ...MEANS_OF_LANGUAGES,
  name: 'rate',
  title: 'Rate',
  source: 'Tang et al., ACL 2024; Muennighoff et al., OLMoE, 2024',
  asked: null,
  types: ['neuron', 'head', 'expert'],
  about:
    'share of counted tokens with hook_pre > 0 (neuron; of an expert, of the tokens routed to it) or routed to it (expert: selection frequency), or mean ‖z_h W_O,h‖ (head; of imported LAHIS matrices the importance); null for residual dimensions',
  range: '0 … 1; heads 0 …',
  sums: rateSums,
  evaluate: (rates) => rates,
  bounds: (statistic) => MEAN_BOUNDS[statistic] ?? {},
  span: (_, type) => (type === 'head' ? Infinity : 1),
  coverage: 'rate',
};
