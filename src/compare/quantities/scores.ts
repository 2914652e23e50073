import type { Measured } from '../inputs/tally.js';
import type { UnitTallies } from '../inputs/unit-tallies.js';
import { ONE_LANGUAGE, type Quantity, quantity, ratio, signed, UNBOUNDED } from './quantity.js';

const NEEDS_ITEMS =
  "no unit has ω²: it needs pooled items, which imports lack (capture with --keep items, of routed experts' neurons with --keep expert-items)";

/**
 * Means of scores over the units that have the score in that run, of all layers and layer by layer: LAPE over live units,
 * nats; ω² of language over units with pooled values.
 */
export function scoreQuantities(tallies: Means): Quantity[] {
  return [...meansOf('mean_lape', tallies), ...omega2Quantities(tallies)];
}

/** Those that come from pooled values alone. */
export function omega2Quantities(tallies: Means): Quantity[] {
  return meansOf('mean_omega2_language', tallies);
}

type Means = Pick<UnitTallies, 'type' | 'scopes' | 'runs' | 'layers'>;

function meansOf(
  measure: 'mean_lape' | 'mean_omega2_language',
  { type, scopes, runs, layers }: Means,
): Quantity[] {
  const of = (scope: number, layer: number | null) => {
    const { group, languages } = scopes[scope]!;
    const most = measure === 'mean_lape' ? Math.log(languages.length) : Infinity;
    const [sum, units]: readonly [Measured, Measured] =
      measure === 'mean_lape' ? ['entropySum', 'live'] : ['omega2Sum', 'omega2Units'];
    return quantity({
      measure,
      type,
      group,
      layer,
      valueRange: measure === 'mean_lape' ? [0, most] : UNBOUNDED,
      changeRange: [-most, most],
      needs: measure === 'mean_lape' ? 'no live unit' : NEEDS_ITEMS,
      impossible: languages.length < 2 ? ONE_LANGUAGE : null,
      isSmooth: true,
      isDetail: layer !== null,
      ...signed(({ run, subset }) => {
        const tally = runs[run]![scope]!;
        return ratio(tally.over(sum, subset, layer), tally.over(units, subset, layer));
      }),
    });
  };
  return [
    ...scopes.map((_, scope) => of(scope, null)),
    ...Array.from({ length: layers }, (_, layer) => of(0, layer)),
  ];
}
