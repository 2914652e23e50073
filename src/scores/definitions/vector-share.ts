import { jackknifeUnits } from '../../stats/index.js';
import { DISTANCE, JACKKNIFE, RELIABILITY_UNITS, type VarianceScore } from '../definition.js';
import { type SumsOfSquares, sumsOfSquares, type TwoWaySums } from '../samples/sums-of-squares.js';
import { languageShares } from './language-shares.js';

/** Shares of the variance of a vector that lie between languages and between items; [unit] each. */
export interface VectorShare {
  readonly language: Float64Array;
  readonly item: Float64Array;
}

/**
 * tr(S_language)/tr(S_total) and tr(S_item)/tr(S_total) of pooled vectors (a head's hook_z) on the full grid: the
 * two-way sums of squares of every dimension, added over the `size` dimensions of a unit (the R² of a permutational
 * analysis of variance with Euclidean distances: Anderson, 2001). Not bias-corrected. NaN for
 * a unit whose vectors are constant, or with fewer than two items or languages.
 *
 * @param sums of the dimensions: units are [unit, dimension], `size` dimensions a unit.
 */
export function vectorShare(sums: TwoWaySums, size: number, chosen?: readonly number[]): VectorShare {
  return sharesOf(sumsOfSquares(sums, chosen), size);
}

function sharesOf({ items, languages, total, language, item }: SumsOfSquares, size: number): VectorShare {
  const units = total.length / size;
  const shares = {
    language: new Float64Array(units).fill(Number.NaN),
    item: new Float64Array(units).fill(Number.NaN),
  };
  if (items < 2 || languages < 2) return shares;
  for (let u = 0; u < units; u++) {
    let all = 0;
    let between = 0;
    let meaning = 0;
    for (let d = u * size; d < (u + 1) * size; d++) {
      all += total[d]!;
      between += language[d]!;
      meaning += item[d]!;
    }
    if (!(all > 0)) continue;
    shares.language[u] = between / all;
    shares.item[u] = meaning / all;
  }
  return shares;
}

/** The parts that both scores have in common. */
const OF_VECTORS = {
  source: 'Anderson, 2001',
  asked: 'vectorShare',
  types: ['head'],
  per: 'unit',
  from: 'vectors',
  range: '0 … 1',
  reliability: RELIABILITY_UNITS,
  span: () => 1,
} as const;

export const vectorShareLanguageScore: VarianceScore = {
  ...OF_VECTORS,
  name: 'vector_share_language',
  title: 'Vector share of language',
  about: 'heads: tr(S_language) / tr(S_total) of pooled hook_z on items that every language has',
  how: DISTANCE,
  evaluate: (squares, size) => sharesOf(squares, size).language,
  interval: (squares, leftOut, size) =>
    languageShares(
      sharesOf(squares, size).language,
      leftOut.map((own) => sharesOf(own, size).language),
    )[0],
  change: 'basic',
  coverage: 'vectorShareLanguage',
};

export const vectorShareItemScore: VarianceScore = {
  ...OF_VECTORS,
  name: 'vector_share_item',
  title: 'Vector share of item',
  about: 'heads: tr(S_item) / tr(S_total)',
  how: JACKKNIFE,
  evaluate: (squares, size) => sharesOf(squares, size).item,
  interval: (squares, leftOut, size) =>
    jackknifeUnits(
      sharesOf(squares, size).item,
      leftOut.map((own) => sharesOf(own, size).item),
      { min: 0, max: 1 },
    ),
  change: 'full',
  coverage: 'vectorShareItem',
};
