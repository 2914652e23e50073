import { JACKKNIFE, type PairScore, type ScoreDefinition } from '../definition.js';
import { aurocScore } from './auroc.js';
import { apScore } from './average-precision.js';
import { contrastScore } from './contrast.js';
import { languageOverlapScore, overlapScore } from './distribution-overlap.js';
import { exclusivityScore } from './exclusivity.js';
import { giniScore } from './gini.js';
import { lapeScore } from './lape.js';
import { meanScore } from './mean.js';
import { miScore } from './mutual-information.js';
import { patternScores } from './patterns.js';
import { rateScore } from './rate.js';
import { selectivityScore } from './selectivity.js';
import { eta2ItemScore, eta2LanguageScore, omega2ItemScore, omega2LanguageScore } from './two-way.js';
import { vectorShareItemScore, vectorShareLanguageScore } from './vector-share.js';

/** Two scores of every two languages in a layer, `margin` and `mexa`: see alignment.ts, and ALIGNMENT_COLUMNS. */
const alignmentScore: PairScore = {
  name: 'alignment',
  title: 'Alignment of languages',
  source: 'MEXA: Kargaran et al., Findings of ACL 2025',
  asked: 'alignment',
  types: ['residual'],
  per: 'unit',
  from: 'pairs',
  about: 'margin of cosines and retrieval (MEXA) of the same item in two languages; in `alignment.parquet`',
  range: 'margin −2 … 2, MEXA 0 … 1',
  how: JACKKNIFE,
  reliability: null,
  change: null,
  span: () => Infinity,
  coverage: null,
};

/** Every score there is, in the order of the tables. */
export const SCORE_DEFINITIONS: readonly ScoreDefinition[] = [
  rateScore,
  meanScore,
  contrastScore,
  lapeScore,
  giniScore,
  exclusivityScore,
  apScore,
  aurocScore,
  eta2LanguageScore,
  eta2ItemScore,
  omega2LanguageScore,
  omega2ItemScore,
  selectivityScore,
  miScore,
  overlapScore,
  languageOverlapScore,
  vectorShareLanguageScore,
  vectorShareItemScore,
  ...patternScores,
  alignmentScore,
];

/** Loads a list of scores: that of a module which exports `SCORE_DEFINITIONS`, or the one above. */
export async function loadDefinitions(module?: string): Promise<readonly ScoreDefinition[]> {
  if (module === undefined) return SCORE_DEFINITIONS;
  const loaded: { readonly SCORE_DEFINITIONS: readonly ScoreDefinition[] } = await import(module);
  return loaded.SCORE_DEFINITIONS;
}
