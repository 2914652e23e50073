import type { UnitTallies } from '../inputs/unit-tallies.js';
import { ONE_LANGUAGE, type Quantity, SHARE, signed } from './quantity.js';

/**
 * How far languages of one run share their top heads: the mean over pairs of languages of the overlap of their top heads,
 * by norm (`head_overlap`) and by that norm minus its mean over the other languages (`head_overlap_contrast`).
 */
export function topHeadQuantities({ type, scopes, topHeads }: UnitTallies): Quantity[] {
  if (topHeads.length === 0) return [];
  return scopes.flatMap(({ group, languages }) =>
    (['norm', 'contrast'] as const).map(
      (by): Quantity => ({
        measure: by === 'norm' ? 'head_overlap' : 'head_overlap_contrast',
        type,
        group,
        layer: null,
        language: null,
        ...signed(({ run, subset }) => topHeads[run]!.meanOverlap(by, subset, languages)),
        valueRange: SHARE,
        changeRange: [-1, 1],
        needs: 'no top heads',
        impossible: languages.length < 2 ? ONE_LANGUAGE : null,
        isDetail: false,
      }),
    ),
  );
}
