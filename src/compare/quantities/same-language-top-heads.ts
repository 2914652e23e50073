import type { UnitTallies } from '../inputs/unit-tallies.js';
import { type Quantity, SHARE } from './quantity.js';

/**
 * Share of a language's top heads that are top heads of the same language in the other run, mean over languages. Top
 * heads are 2 % of all, by the mean norm of their contribution.
 */
export function sameLanguageTopHeadQuantities({ type, scopes, topHeads }: UnitTallies): Quantity[] {
  if (topHeads.length === 0) return [];
  return scopes.map(({ group, languages }) => ({
    measure: 'same_language_top_heads',
    type,
    group,
    layer: null,
    language: null,
    direction: 'similarity',
    value: null,
    between: (a, b) => topHeads[a.run]!.shareKept(a.subset, topHeads[b.run]!, b.subset, languages),
    valueRange: SHARE,
    changeRange: SHARE,
    needs: 'a language has no top heads',
    impossible: null,
    isDetail: false,
  }));
}
