import { type JackknifeBounds, jackknifeUnits, type UnitIntervals } from '../../stats/index.js';
import { SCORED_TYPES } from '../../store/index.js';
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

/** The parts that shares of variance of a unit's pooled values have in common. */
function share(
  of: keyof TwoWay,
  own: Pick<VarianceScore, 'name' | 'title' | 'source' | 'about' | 'range'> & Partial<VarianceScore>,
): VarianceScore {
  return {
    asked: 'twoWay',
    types: SCORED_TYPES,
    per: 'unit',
    from: 'values',
    how: JACKKNIFE,
    evaluate: (squares) => effectSizes(squares)[of],
    interval: (squares, leftOut) => jackknifed(of, squares, leftOut),
    reliability: RELIABILITY_UNITS,
    change: 'full',
    span: () => 1,
    coverage: of,
    ...own,
  };
}

export const eta2LanguageScore = share('eta2Language', {
  name: 'eta2_language',
  title: 'η² of language',
  source: 'Fisher, 1925',
  about: 'SS_language / SS_total of pooled values on items that every language has',
  range: '0 … 1',
  how: DISTANCE,
  interval: (squares, leftOut) => ofLanguage(squares, leftOut)[0],
});

export const eta2ItemScore = share('eta2Item', {
  name: 'eta2_item',
  title: 'η² of item',
  source: 'Fisher, 1925',
  about: 'SS_item / SS_total',
  range: '0 … 1',
  interval: (squares, leftOut) => jackknifed('eta2Item', squares, leftOut, { min: 0, max: 1 }),
  change: 'basic',
});

export const omega2LanguageScore = share('omega2Language', {
  name: 'omega2_language',
  title: 'ω² of language',
  source: 'Hays, 1963',
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
  interval: omega2LanguageInterval,
  change: 'basic',
  span: () => Infinity,
});

export const omega2ItemScore = share('omega2Item', {
  name: 'omega2_item',
  title: 'ω² of item',
  source: 'Hays, 1963',
  about: 'eta2_item corrected for bias; may be slightly negative',
  range: '… 1',
  interval: (squares, leftOut) => jackknifed('omega2Item', squares, leftOut, { max: 1 }),
  span: () => Infinity,
});

function jackknifed(
  of: keyof TwoWay,
  squares: SumsOfSquares,
  leftOut: readonly SumsOfSquares[],
  bounds: JackknifeBounds = {},
): UnitIntervals {
  return jackknifeUnits(
    effectSizes(squares)[of],
    leftOut.map((own) => effectSizes(own)[of]),
    bounds,
  );
}

/** Intervals of η² and of ω² of language, the latter about what there is at infinitely many items. */
function ofLanguage(squares: SumsOfSquares, leftOut: readonly SumsOfSquares[]) {
  return languageShares(
    effectSizes(squares).eta2Language,
    leftOut.map((own) => effectSizes(own).eta2Language),
  );
}

function omega2LanguageInterval(squares: SumsOfSquares, leftOut: readonly SumsOfSquares[]): UnitIntervals {
  const { value, se } = jackknifed('omega2Language', squares, leftOut);
  const [, { low, high }] = ofLanguage(squares, leftOut);
  return {
    value,
    se,
    low: low.map((end, u) => Math.min(end, value[u]!)),
    high: high.map((end, u) => Math.min(1, Math.max(end, value[u]!))),
  };
}
