import type { StatisticName } from '../../store/index.js';
import { type FoldScore, MEANS_OF_LANGUAGES } from '../definition.js';

/** Summaries of a head's attention pattern, [language]: means over counted tokens. */
export const patternScores: readonly FoldScore[] = [
  pattern('pattern_entropy', 'head.pattern.entropy.sum', {
    title: 'Entropy of attention',
    about:
      'heads: mean entropy of the attention pattern over counted tokens, nats; --hooks attn.hook_pattern',
    range: '0 …',
    bounds: () => ({ min: 0 }),
    span: () => Infinity,
  }),
  pattern('pattern_first', 'head.pattern.first.sum', {
    title: 'Attention on the first token',
    about: 'heads: mean attention on the first token of the sequence; --hooks attn.hook_pattern',
    range: '0 … 1',
    bounds: () => ({ min: 0, max: 1 }),
    span: () => 1,
  }),
  pattern('pattern_previous', 'head.pattern.previous.sum', {
    title: 'Attention on the token before',
    about: 'heads: mean attention on the token before; --hooks attn.hook_pattern',
    range: '0 … 1',
    bounds: () => ({ min: 0, max: 1 }),
    span: () => 1,
  }),
];

function pattern(
  name: string,
  array: StatisticName,
  own: Pick<FoldScore, 'title' | 'about' | 'range' | 'bounds' | 'span'>,
): FoldScore {
  return {
    ...MEANS_OF_LANGUAGES,
    ...own,
    name,
    source: 'Clark et al., BlackboxNLP 2019',
    asked: 'pattern',
    types: ['head'],
    sums: (_, names) => (names.has(array) ? array : null),
    needs: {
      array: 'head.pattern.entropy.sum',
      reason: 'the run recorded no attention patterns; capture with --hooks attn.hook_pattern',
    },
    evaluate: (means) => means,
    coverage: name,
  };
}
