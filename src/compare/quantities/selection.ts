import type { PairCount } from '../inputs/tally.js';
import type { UnitTallies } from '../inputs/unit-tallies.js';
import {
  COUNT,
  ONE_LANGUAGE,
  type Quantity,
  quantity,
  ratio,
  type Side,
  sharedBy,
  signed,
  UNBOUNDED,
} from './quantity.js';

/**
 * The units that the reference's cut selects: how many, in each layer and of each language too, and, between two runs,
 * Jaccard's overlap |A ∩ B| / |A ∪ B| (1912) and the share of units selected in both that keep their top language.
 */
export function selectionQuantities(tallies: UnitTallies): Quantity[] {
  const { type, scopes, runs, counts, pairs, layers, tags, unselected } = tallies;
  const count = (own: Partial<Quantity>, value: (side: Side) => number) =>
    quantity({
      measure: 'selected',
      type,
      group: null,
      ...signed(value),
      valueRange: COUNT,
      changeRange: UNBOUNDED,
      needs: 'no units',
      impossible: unselected,
      ...own,
    });
  const ofScope = scopes.flatMap(({ group, languages }, scope) => {
    const share = (part: PairCount, whole: PairCount) =>
      sharedBy((a, b) => {
        const { tally, pair } = pairs.at(scope, a, b);
        return ratio(tally[part][pair]!, tally[whole][pair]!);
      });
    return [
      count({ group }, ({ run, subset }) => runs[run]![scope]!.over('selected', subset)),
      quantity({
        measure: 'jaccard',
        type,
        group,
        ...share('both', 'either'),
        needs: 'no unit is selected in either run',
        impossible: unselected,
      }),
      quantity({
        measure: 'language_kept',
        type,
        group,
        ...share('sameLanguage', 'both'),
        needs: 'no unit is selected in both runs',
        impossible: unselected ?? (languages.length < 2 ? ONE_LANGUAGE : null),
      }),
    ];
  });
  return [
    ...ofScope,
    ...Array.from({ length: layers }, (_, layer) =>
      count({ layer, isDetail: true }, ({ run, subset }) => runs[run]![0]!.over('selected', subset, layer)),
    ),
    ...tags.map((language, k) =>
      count({ language, isDetail: true }, ({ run, subset }) => counts[run]!.of(subset, k)),
    ),
  ];
}
