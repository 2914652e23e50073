import { reshape, slice } from '../graph/index.js';
import type { HeadSizes, Projected } from './attention.js';
import type { Block, Float } from './block.js';
import { linear } from './parts.js';

/**
 * Queries, keys and values from one projection `{name}`, interleaved as GPT-NeoX, BLOOM and Falcon store them: for each
 * head of keys its queries, its key and its value in turn.
 */
export function projectFused(
  block: Block,
  name: string,
  x: Float,
  { heads, kvHeads, headDim }: HeadSizes,
  bias: boolean,
): Projected {
  const group = heads / kvHeads;
  const fused = linear(block, name, x, (heads + 2 * kvHeads) * headDim, bias);
  const grouped = reshape(fused, ['batch', 'seq', kvHeads, group + 2, headDim]);
  const part = (start: number, end: number): Float =>
    reshape(slice(grouped, 3, start, end), ['batch', 'seq', kvHeads * (end - start), headDim]);
  return { q: part(0, group), k: part(group, group + 1), v: part(group + 1, group + 2) };
}
