/** How intervals came about; said of every column that has one. */
const JACKKNIFE = 'delete-one-fold jackknife, t quantile of folds − 1';
const DISTANCE = 'delete-one-fold jackknife; the interval as of a sum of squares';
const PERCENTILE = 'percentile bootstrap over items; --uncertainty full';
const FULL_JACKKNIFE = `${JACKKNIFE}; --uncertainty full`;
const HALVES = 'random half-samples of the folds, t quantile of folds − 1; --uncertainty full';

/**
 * Numbers of a unit that scoring computes, as `units.parquet` names them, with what they are. docs/scores.md has the definitions;
 * sources stand in the file of each score.
 */
export const UNIT_ARRAYS = {
  lape: 'entropy over languages of the rate, nats, 0 … ln K (Tang et al. 2024); not for residual dimensions, which have no rate, nor for neurons of experts that a language never reaches',
  ...interval('lape', DISTANCE),
  exclusivity: 'experts: highest selection frequency over languages / their sum, 1/K … 1',
  ...interval('exclusivity', `${JACKKNIFE}; the interval is that of a maximum`),
  eta2_language: 'SS_language / SS_total of pooled values on items that every language has',
  ...interval('eta2_language', DISTANCE),
  eta2_item: 'SS_item / SS_total',
  ...interval('eta2_item', JACKKNIFE),
  omega2_language: 'eta2_language corrected for bias; may be slightly negative',
  ...interval('omega2_language', DISTANCE),
  ...test('omega2_language', 'one-sided; of SS_language, hence of eta2_language too'),
  omega2_item: 'eta2_item corrected for bias; may be slightly negative',
  ...interval('omega2_item', JACKKNIFE),
  ...test('selectivity_best', 'one-sided; the highest selectivity against the highest under permutation'),
  mi: "mutual information of pooled value (16 equal-count bins) and language, nats, Miller–Madow corrected; beside it H(language) in the table's `language_entropy`",
  ...interval(
    'mi',
    'random half-samples of the folds; the interval as of a sum of squares, against mi under permutation; --uncertainty full',
  ),
  ...test('mi', 'one-sided'),
  overlap:
    'overlap of 64-bin histograms, mean over pairs of languages; 1: the same; falls short of it by chance alone',
  ...interval('overlap', HALVES),
  vector_share_language:
    'heads: tr(S_language) / tr(S_total) of pooled hook_z on items that every language has',
  ...interval('vector_share_language', DISTANCE),
  vector_share_item: 'heads: tr(S_item) / tr(S_total)',
  ...interval('vector_share_item', JACKKNIFE),
} as const satisfies Record<string, string>;

/** Numbers of a unit in a language, as `unit_languages.parquet` names them. */
export const LANGUAGE_ARRAYS = {
  rate: 'share of counted tokens with hook_pre > 0 (neuron; of an expert, of the tokens routed to it) or routed to it (expert: selection frequency), or mean ‖z_h W_O,h‖ (head; of imported LAHIS matrices the importance); null for residual dimensions',
  ...interval('rate', JACKKNIFE),
  mean: 'mean over counted tokens of hook_post (neuron; of an expert, over the tokens routed to it), ‖z_h W_O,h‖ (head; or imported importance), hook_router (expert: router mass) or hook_resid_post (residual)',
  ...interval('mean', JACKKNIFE),
  contrast: "mean minus the average of the other languages' means",
  ...interval('contrast', JACKKNIFE),
  ap: 'average precision of pooled values for this language against the rest',
  ...interval('ap', FULL_JACKKNIFE),
  ...test('ap', 'one-sided: higher than where languages are exchangeable'),
  auroc: 'P(pooled value in this language > in the rest) + ½ P(equal); 0.5 is chance',
  ...interval('auroc', PERCENTILE),
  ...test('auroc', 'two-sided: further from 0.5'),
  selectivity: '(mean of this language − mean of the rest) / pooled within-language SD, Hedges-corrected',
  ...interval('selectivity', PERCENTILE),
  ...test('selectivity', 'one-sided'),
  overlap: 'overlap of 64-bin histograms with the other languages, mean',
  ...interval('overlap', HALVES),
  pattern_entropy:
    'heads: mean entropy of the attention pattern over counted tokens, nats; --hooks attn.hook_pattern',
  ...interval('pattern_entropy', JACKKNIFE),
  pattern_first: 'heads: mean attention on the first token of the sequence; --hooks attn.hook_pattern',
  ...interval('pattern_first', JACKKNIFE),
  pattern_previous: 'heads: mean attention on the token before; --hooks attn.hook_pattern',
  ...interval('pattern_previous', JACKKNIFE),
} as const satisfies Record<string, string>;

export type UnitArray = keyof typeof UNIT_ARRAYS;
export type LanguageArray = keyof typeof LANGUAGE_ARRAYS;

function interval<const N extends string>(
  name: N,
  how: string,
): Record<`${N}_${'se' | 'low' | 'high'}`, string> {
  return {
    [`${name}_se`]: `standard error of ${name} (${how})`,
    [`${name}_low`]: `lower end of its 95 % interval`,
    [`${name}_high`]: `upper end of its 95 % interval`,
  } as Record<`${N}_${'se' | 'low' | 'high'}`, string>;
}

function test<const N extends string>(name: N, sides: string): Record<`${N}_${'p' | 'q'}`, string> {
  return {
    [`${name}_p`]: `permutation p of ${name}, languages permuted within items (${sides}); --uncertainty full`,
    [`${name}_q`]: `Benjamini–Hochberg q of ${name}_p over all units of the type (and languages)`,
  } as Record<`${N}_${'p' | 'q'}`, string>;
}
