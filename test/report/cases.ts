import { buildFigures } from '../../src/report/figures/list.js';
import { SEEN_UNSEEN, SEVENTEEN_LANGUAGES, syntheticComparison } from '../support/synthetic-comparison.js';

/** Nine labels that begin alike, two of them but for a word in the middle. */
export const LONG_LABELS = [
  ...[0, 1, 1000, 4000, 16_000, 64_000, 143_000].map((step) => `EleutherAI/pythia-70m@step${step}`),
  'EleutherAI/pythia-70m-deduped@step1000',
  'base',
];
const BY_FAMILY = [...new Set(SEVENTEEN_LANGUAGES.map(({ family }) => family))].map((name) => ({
  name,
  languages: SEVENTEEN_LANGUAGES.filter(({ family }) => family === name).map(({ tag }) => tag),
}));
const SEVEN_OTHERS = ['base', 'cpt', 'sft', 'grpo', 'cpt+grpo', 'sft seed 2', 'grpo seed 2', 'grpo seed 3'];
export const CASES = {
  'two runs, 8 languages, 8 layers': syntheticComparison(),
  'two runs, 17 languages, 28 layers': syntheticComparison({
    layers: 28,
    neurons: 8960,
    heads: 12,
    languages: SEVENTEEN_LANGUAGES,
  }),
  'eight runs': syntheticComparison({ runs: SEVEN_OTHERS }),
  'five regimes with seeds and groups': syntheticComparison({
    runs: ['base', 'cpt', 'sft', 'grpo', 'cpt+grpo'],
    groups: SEEN_UNSEEN,
    seeds: 3,
  }),
  'a trajectory, 17 languages, by family': syntheticComparison({
    runs: [0, 500, 1000, 2000, 4000, 8000].map((step) => `base@step${step}`),
    steps: [0, 500, 1000, 2000, 4000, 8000],
    languages: SEVENTEEN_LANGUAGES,
    groups: [
      { name: 'Indo-European', languages: ['cs', 'de', 'en', 'es', 'fr', 'hi', 'it', 'pt-BR', 'ru'] },
      { name: 'Afro-Asiatic', languages: ['ar'] },
      { name: 'Sino-Tibetan (漢藏語系)', languages: ['zh-Hant'] },
    ],
  }),
  'nine runs with long labels': syntheticComparison({ runs: LONG_LABELS, groups: SEEN_UNSEEN, seeds: 2 }),
  'nine runs of a large mixture, 17 languages, by family': syntheticComparison({
    runs: LONG_LABELS,
    layers: 40,
    heads: 20,
    neurons: 13_824,
    experts: 32,
    languages: SEVENTEEN_LANGUAGES,
    groups: BY_FAMILY,
    seeds: 2,
  }),
  'one run': syntheticComparison({ runs: ['base'] }),
  'a mixture': syntheticComparison({ experts: 8 }),
  'a large mixture, 17 languages': syntheticComparison({
    layers: 28,
    experts: 128,
    languages: SEVENTEEN_LANGUAGES,
  }),
};
export const small = CASES['two runs, 8 languages, 8 layers'];
export const regimes = CASES['five regimes with seeds and groups'];
export const mixture = CASES['a mixture'];
export const trained = CASES['a trajectory, 17 languages, by family'];

const built = new Map<unknown, ReturnType<typeof buildFigures>>();

/** The figures of a comparison, which are built once for all tests that look at them. */
export function figuresOf(comparison: typeof small): ReturnType<typeof buildFigures> {
  const figures = built.get(comparison) ?? buildFigures(comparison);
  built.set(comparison, figures);
  return figures;
}
