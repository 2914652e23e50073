import type { Measured } from '../inputs/tally.js';
import type { UnitTallies } from '../inputs/unit-tallies.js';
import { ONE_LANGUAGE, type Quantity, ratio, signed, UNBOUNDED } from './quantity.js';

const NEEDS_ITEMS =
  "no unit has ω²: it needs pooled items, which imports lack (capture with --keep items, of routed experts' neurons with --keep expert-items)";

/**
 * Means of scores over the units that have the score in that run, of all layers and layer by layer: LAPE over live units,
 * nats; ω² of language over units with pooled values.
 */
export function scoreQuantities(tallies: UnitTallies): Quantity[] {
  const { type, scopes, runs, layers } = tallies;
  const most = (languages: number) => Math.log(languages);
  const of = (
    measure: 'mean_lape' | 'mean_omega2_language',
    scope: number,
    layer: number | null,
  ): Quantity => {
    const { group, languages } = scopes[scope]!;
    const [sum, units]: readonly [Measured, Measured] =
      measure === 'mean_lape' ? ['entropySum', 'live'] : ['omega2Sum', 'omega2Units'];
    const bounds =
      measure === 'mean_lape'
        ? ({
            valueRange: [0, most(languages.length)],
            changeRange: [-most(languages.length), most(languages.length)],
            needs: 'no live unit',
          } as const)
        : { valueRange: UNBOUNDED, changeRange: UNBOUNDED, needs: NEEDS_ITEMS };
    return {
      measure,
      type,
      group,
      layer,
      language: null,
      ...bounds,
      impossible: languages.length < 2 ? ONE_LANGUAGE : null,
      isDetail: layer !== null,
      ...signed(({ run, subset }) => {
        const tally = runs[run]![scope]!;
        return layer === null
          ? ratio(tally.total(sum, subset), tally.total(units, subset))
          : ratio(tally.ofLayer(sum, subset, layer), tally.ofLayer(units, subset, layer));
      }),
    };
  };
  const everywhere = (['mean_lape', 'mean_omega2_language'] as const).flatMap((measure) => [
    ...scopes.map((_, scope) => of(measure, scope, null)),
    ...Array.from({ length: layers }, (_, layer) => of(measure, 0, layer)),
  ]);
  return everywhere;
}
