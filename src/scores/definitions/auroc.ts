import { OF_PROMPTS, PERCENTILE, type PromptScore } from '../definition.js';
import { ofOneUnit, type RankWalk } from '../samples/rank-walk.js';

/**
 * Area under the ROC curve, P(x_k > x_rest) + ½ P(x_k = x_rest) (Hanley & McNeil, 1982), by the rank-sum statistic with
 * midranks (Mann & Whitney, 1947). 0.5 is chance; below it the unit is suppressed in k.
 *
 * @param walk A unit that was ranked and walked down.
 * @param out [language], NaN for a language without prompts, or with all of them.
 */
export function aurocOf({ positives, rankSum, languages }: RankWalk, out: Float64Array): void {
  let total = 0;
  for (let k = 0; k < languages; k++) total += positives[k]!;
  for (let k = 0; k < languages; k++) {
    const own = positives[k]!;
    const pairs = own * (total - own);
    // Ranks count from the highest value: the sum exceeds its least by the pairs in which the rest is higher.
    const lost = rankSum[k]! - (own * (own + 1)) / 2;
    out[k] = pairs > 0 ? 1 - lost / pairs : Number.NaN;
  }
}

/** AUROC of one unit for every language, [language]; NaN values are left out. */
export const auroc = ofOneUnit(aurocOf);

export const aurocScore: PromptScore = {
  ...OF_PROMPTS,
  name: 'auroc',
  title: 'AUROC',
  source: 'Hanley & McNeil, 1982',
  asked: 'auroc',
  per: 'language',
  part: 'ranks',
  about: 'P(pooled value in this language > in the rest) + ½ P(equal); 0.5 is chance',
  range: '0 … 1',
  how: PERCENTILE,
  tests: [{ name: 'auroc', sides: 'two-sided: further from 0.5', part: 'ranks', of: (p) => p.auroc }],
  best: { about: 'highest AUROC over languages' },
  evaluate: (values) => values.auroc,
  interval: (uncertainty) => uncertainty.auroc,
  span: () => 1,
  coverage: 'auroc',
};
