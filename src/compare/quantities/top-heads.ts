import type { UnitTallies } from '../inputs/unit-tallies.js';
import { ONE_LANGUAGE, type Quantity, quantity, SHARE, sharedBy, signed } from './quantity.js';

/**
 * How far languages of one run share their top heads: the mean over pairs of languages of the overlap of their top heads,
 * by norm (`head_overlap`) and by that norm minus its mean over the other languages (`head_overlap_contrast`). Top heads
 * are 2 % of all.
 */
export function topHeadQuantities({ type, scopes, topHeads }: UnitTallies): Quantity[] {
  if (topHeads.length === 0) return [];
  return scopes.flatMap(({ group, languages }) =>
    (['norm', 'contrast'] as const).map((by) =>
      quantity({
        measure: by === 'norm' ? 'head_overlap' : 'head_overlap_contrast',
        type,
        group,
        ...signed(({ run, subset }) => topHeads[run]!.meanOverlap(by, subset, languages)),
        valueRange: SHARE,
        changeRange: [-1, 1],
        needs: 'no top heads',
        impossible: languages.length < 2 ? ONE_LANGUAGE : null,
      }),
    ),
  );
}

/** Share of a language's top heads by norm that are top heads of the same language in the other run, mean over languages. */
export function sameLanguageTopHeadQuantities({ type, scopes, topHeads }: UnitTallies): Quantity[] {
  if (topHeads.length === 0) return [];
  return scopes.map(({ group, languages }) =>
    quantity({
      measure: 'same_language_top_heads',
      type,
      group,
      ...sharedBy((a, b) => topHeads[a.run]!.shareKept(a.subset, topHeads[b.run]!, b.subset, languages)),
      needs: 'a language has no top heads',
    }),
  );
}
