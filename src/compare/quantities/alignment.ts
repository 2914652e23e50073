import type { AlignmentTally } from '../inputs/alignment-tally.js';
import type { Scope } from '../inputs/layer-scores.js';
import { type Quantity, quantity, signed } from './quantity.js';

/**
 * Alignment of languages on the residual stream (docs/scores.md), a mean over pairs of languages, after each layer and
 * as a mean over layers: the cosine margin, and the retrieval of MEXA (2024). Items of a left-out fold are no candidates,
 * and within and across are both at half size, so that MEXA's dependence on the number of candidates favours neither.
 *
 * @param tallies [run].
 */
export function alignmentQuantities(
  tallies: readonly AlignmentTally[],
  scopes: readonly Scope[],
  layers: number,
): Quantity[] {
  const everywhere = [null, ...Array.from({ length: layers }, (_, l) => l)];
  return (['margin', 'mexa'] as const).flatMap((measure) =>
    scopes.flatMap(({ group }, scope) =>
      everywhere.map((layer) =>
        quantity({
          measure: measure === 'margin' ? 'alignment_margin' : 'alignment_mexa',
          type: null,
          group,
          layer,
          ...signed(({ run, subset }) => tallies[run]!.value(measure, scope, layer, subset)),
          valueRange: measure === 'margin' ? [-2, 2] : [0, 1],
          changeRange: measure === 'margin' ? [-4, 4] : [-1, 1],
          isSmooth: true,
          needs: 'no two languages share two items',
        }),
      ),
    ),
  );
}
