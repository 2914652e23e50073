import { expertOfNeuron, expertsOf, type LayerSizes } from '../hooks/index.js';
import type { TokenCounts } from './fold-sums.js';
import { LAYER_ARRAYS } from './manifest.js';
import type { RunLayer } from './open-run.js';
import type { ScoredType } from './unit-types.js';

/**
 * What sums of units unitStart … unitEnd − 1 of a layer are divided by: the counted tokens, and of neurons of experts those
 * that were routed to their expert.
 */
export async function readTokenCounts(
  layer: RunLayer,
  type: ScoredType,
  sizes: LayerSizes,
  unitStart: number,
  unitEnd: number,
): Promise<TokenCounts> {
  const tokens = await layer.readTokens();
  const experts = expertsOf(sizes, layer.layer);
  if (type !== 'neuron' || experts === 0) return tokens;
  const routed = await layer.readStatistic(LAYER_ARRAYS.expertCount);
  // Neurons of shared experts are the last group: they see every token.
  const groups = experts + 1;
  const counts = new Float64Array(tokens.length * groups);
  for (const [cell, count] of tokens.entries()) {
    counts.set(routed.subarray(cell * experts, (cell + 1) * experts), cell * groups);
    counts[cell * groups + experts] = count;
  }
  const groupOf = Uint32Array.from(
    { length: unitEnd - unitStart },
    (_, u) => expertOfNeuron(sizes, layer.layer, unitStart + u) ?? experts,
  );
  return { counts, groups, groupOf };
}
