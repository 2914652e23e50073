import type { UnitTallies } from '../inputs/unit-tallies.js';
import {
  COUNT,
  ONE_LANGUAGE,
  type Quantity,
  ratio,
  SHARE,
  type Side,
  signed,
  UNBOUNDED,
} from './quantity.js';

/**
 * The units that the reference's cut selects: how many, in each layer and of each language too, and, between two runs,
 * Jaccard's overlap |A ∩ B| / |A ∪ B| (1912) and the share of units selected in both that keep their top language.
 */
export function selectionQuantities(tallies: UnitTallies): Quantity[] {
  const { type, scopes, runs, counts, pairs, layers, tags, unselected } = tallies;
  const count = {
    measure: 'selected',
    type,
    group: null,
    layer: null,
    language: null,
    valueRange: COUNT,
    changeRange: UNBOUNDED,
    needs: 'no units',
    impossible: unselected,
    isDetail: false,
  } as const;
  const share = {
    ...count,
    direction: 'similarity',
    value: null,
    valueRange: SHARE,
    changeRange: SHARE,
  } as const;
  const ofScope = scopes.flatMap(({ group, languages }, scope): Quantity[] => [
    { ...count, group, ...signed(({ run, subset }) => runs[run]![scope]!.total('selected', subset)) },
    {
      ...share,
      measure: 'jaccard',
      group,
      needs: 'no unit is selected in either run',
      between: (a, b) => {
        const { tally, pair } = pairs.at(scope, a, b);
        return ratio(tally.both[pair]!, tally.either[pair]!);
      },
    },
    {
      ...share,
      measure: 'language_kept',
      group,
      needs: 'no unit is selected in both runs',
      impossible: unselected ?? (languages.length < 2 ? ONE_LANGUAGE : null),
      between: (a, b) => {
        const { tally, pair } = pairs.at(scope, a, b);
        return ratio(tally.sameLanguage[pair]!, tally.both[pair]!);
      },
    },
  ]);
  const detail = { ...count, isDetail: true };
  const ofLayer = (layer: number): Quantity => ({
    ...detail,
    layer,
    ...signed(({ run, subset }: Side) => runs[run]![0]!.ofLayer('selected', subset, layer)),
  });
  const ofLanguage = (language: string, k: number): Quantity => ({
    ...detail,
    language,
    ...signed(({ run, subset }: Side) => counts[run]!.of(subset, k)),
  });
  return [
    ...ofScope,
    ...Array.from({ length: layers }, (_, layer) => ofLayer(layer)),
    ...tags.map(ofLanguage),
  ];
}
