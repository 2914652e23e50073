import { jackknifeUnits, type UnitIntervals } from '../../stats/index.js';
import { DISTANCE, JACKKNIFE, RELIABILITY_UNITS, type VarianceScore } from '../definition.js';
import { type SumsOfSquares, sumsOfSquares, type TwoWaySums } from '../samples/sums-of-squares.js';
import { languageShares } from './language-shares.js';

/** Shares of variance, [unit] each; NaN where SS_total = 0 or there are fewer than two items or languages. */
export interface TwoWay {
  readonly eta2Language: Float64Array;
  readonly eta2Item: Float64Array;
  readonly omega2Language: Float64Array;
  readonly omega2Item: Float64Array;
}

/**
 * Two-way decomposition x_{i,k} = μ + item_i + language_k + rest on the full grid: η² = SS/SS_total (Fisher, 1925) and
 * ω² = (SS − df·MS_rest)/(SS_total + MS_rest) (Hays, 1963), with df K − 1 for language and N − 1 for item, and
 * MS_rest = SS_rest/((N − 1)(K − 1)). ω² corrects the bias of η² and may be slightly negative.
 */
export function twoWay(sums: TwoWaySums, chosen?: readonly number[]): TwoWay {
  return effectSizes(sumsOfSquares(sums, chosen));
}

/** η² and ω² from sums of squares. */
export function effectSizes({ items, languages, total, language, item }: SumsOfSquares): TwoWay {
  const units = total.length;
  const nothing = () => new Float64Array(units).fill(Number.NaN);
  const effects = {
    eta2Language: nothing(),
    eta2Item: nothing(),
    omega2Language: nothing(),
    omega2Item: nothing(),
  };
  if (items < 2 || languages < 2) return effects;
  for (let u = 0; u < units; u++) {
    if (!(total[u]! > 0)) continue;
    const rest = Math.max(0, total[u]! - language[u]! - item[u]!);
    const meanRest = rest / ((items - 1) * (languages - 1));
    effects.eta2Language[u] = language[u]! / total[u]!;
    effects.eta2Item[u] = item[u]! / total[u]!;
    effects.omega2Language[u] = (language[u]! - (languages - 1) * meanRest) / (total[u]! + meanRest);
    effects.omega2Item[u] = (item[u]! - (items - 1) * meanRest) / (total[u]! + meanRest);
  }
  return effects;
}

export const eta2LanguageScore: VarianceScore = {
  name: 'eta2_language',
  title: 'η² of language',
  source: 'Fisher, 1925',
  asked: 'twoWay',
  types: ['neuron', 'head', 'expert', 'residual'],
  per: 'unit',
  from: 'values',
  about: 'SS_language / SS_total of pooled values on items that every language has',
  range: '0 … 1',
  how: DISTANCE,
  evaluate: (squares) => effectSizes(squares).eta2Language,
  interval: (squares, leftOut) => ofLanguage(squares, leftOut)[0],
  reliability: RELIABILITY_UNITS,
  change: 'full',
  span: () => 1,
  coverage: 'eta2Language',
};

export const eta2ItemScore: VarianceScore = {
  name: 'eta2_item',
  title: 'η² of item',
  source: 'Fisher, 1925',
  asked: 'twoWay',
  types: ['neuron', 'head', 'expert', 'residual'],
  per: 'unit',
  from: 'values',
  about: 'SS_item / SS_total',
  range: '0 … 1',
  how: JACKKNIFE,
  evaluate: (squares) => effectSizes(squares).eta2Item,
  interval: (squares, leftOut) =>
    jackknifeUnits(
      effectSizes(squares).eta2Item,
      leftOut.map((own) => effectSizes(own).eta2Item),
      { min: 0, max: 1 },
    ),
  reliability: RELIABILITY_UNITS,
  change: 'basic',
  span: () => 1,
  coverage: 'eta2Item',
};

export const omega2LanguageScore: VarianceScore = {
  name: 'omega2_language',
  title: 'ω² of language',
  source: 'Hays, 1963',
  asked: 'twoWay',
  types: ['neuron', 'head', 'expert', 'residual'],
  per: 'unit',
  from: 'values',
  about: 'eta2_language corrected for bias; may be slightly negative',
  range: '… 1',
  how: DISTANCE,
  tests: [
    {
      name: 'omega2_language',
      sides: 'one-sided; of SS_language, hence of eta2_language too',
      part: 'selectivity',
      of: ({ twoWay: p }) => p,
    },
  ],
  evaluate: (squares) => effectSizes(squares).omega2Language,
  interval: omega2LanguageInterval,
  reliability: RELIABILITY_UNITS,
  change: 'basic',
  span: () => Infinity,
  coverage: 'omega2Language',
};

export const omega2ItemScore: VarianceScore = {
  name: 'omega2_item',
  title: 'ω² of item',
  source: 'Hays, 1963',
  asked: 'twoWay',
  types: ['neuron', 'head', 'expert', 'residual'],
  per: 'unit',
  from: 'values',
  about: 'eta2_item corrected for bias; may be slightly negative',
  range: '… 1',
  how: JACKKNIFE,
  evaluate: (squares) => effectSizes(squares).omega2Item,
  interval: (squares, leftOut) =>
    jackknifeUnits(
      effectSizes(squares).omega2Item,
      leftOut.map((own) => effectSizes(own).omega2Item),
      { max: 1 },
    ),
  reliability: RELIABILITY_UNITS,
  change: 'full',
  span: () => Infinity,
  coverage: 'omega2Item',
};

/** Intervals of η² and of ω² of language, the latter about what there is at infinitely many items. */
function ofLanguage(squares: SumsOfSquares, leftOut: readonly SumsOfSquares[]) {
  return languageShares(
    effectSizes(squares).eta2Language,
    leftOut.map((own) => effectSizes(own).eta2Language),
  );
}

function omega2LanguageInterval(squares: SumsOfSquares, leftOut: readonly SumsOfSquares[]): UnitIntervals {
  const value = effectSizes(squares).omega2Language;
  const [, { low, high }] = ofLanguage(squares, leftOut);
  return {
    value,
    se: jackknifeUnits(
      value,
      leftOut.map((own) => effectSizes(own).omega2Language),
    ).se,
    low: low.map((end, u) => Math.min(end, value[u]!)),
    high: high.map((end, u) => Math.min(1, Math.max(end, value[u]!))),
  };
}
