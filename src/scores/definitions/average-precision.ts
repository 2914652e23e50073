import { JACKKNIFE, OF_PROMPTS, type PromptScore } from '../definition.js';
import { ofOneUnit, type RankWalk } from '../samples/rank-walk.js';

/**
 * Average precision of a unit's values as a ranking of "is language k" against the rest: Σ_n (R_n − R_{n−1}) P_n over
 * the distinct values as thresholds, highest first, tied values one threshold (the definition of scikit-learn's
 * `average_precision_score`; used for language neurons by Kojima et al., NAACL 2024, with mean pooling and Cuadros
 * et al., ICML 2022, with max pooling). Range 0 … 1; chance is the share of prompts in k.
 *
 * @param walk A unit that was ranked and walked down.
 * @param out [language], NaN for a language without prompts.
 */
export function averagePrecisionOf({ positives, precision, languages }: RankWalk, out: Float64Array): void {
  for (let k = 0; k < languages; k++) {
    out[k] = positives[k]! > 0 ? precision[k]! / positives[k]! : Number.NaN;
  }
}

/** AP of one unit for every language, [language]; NaN values are left out, and a language without values has NaN. */
export const averagePrecision = ofOneUnit(averagePrecisionOf);

export const apScore: PromptScore = {
  ...OF_PROMPTS,
  name: 'ap',
  title: 'Average precision',
  source: 'Kojima et al., NAACL 2024; Cuadros et al., ICML 2022',
  asked: 'ap',
  per: 'language',
  part: 'ranks',
  about: 'average precision of pooled values for this language against the rest',
  range: '0 … 1',
  how: `${JACKKNIFE}; --uncertainty full`,
  tests: [
    {
      name: 'ap',
      sides: 'one-sided: higher than where languages are exchangeable',
      part: 'ranks',
      of: (p) => p.ap,
    },
  ],
  best: { about: 'highest average precision over languages', halves: true },
  chance: {
    name: 'ap_chance',
    about: 'share of prompts in this language: the average precision of chance',
  },
  evaluate: (values) => values.ap,
  interval: (uncertainty) => uncertainty.ap,
  span: () => 1,
  coverage: 'ap',
};
