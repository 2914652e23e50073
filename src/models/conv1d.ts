import { affine, reshape, sizeOf, transpose } from '../graph/index.js';
import { joinHeads } from './attention.js';
import type { Block, Float } from './block.js';
import { adapted, adaptedWeight } from './low-rank.js';

/** y = x·W + b as GPT-2 stores it: weights `{name}.weight` [in, outSize] and `{name}.bias`. */
export function conv1d(block: Block, name: string, x: Float, outSize: number): Float {
  const inSize = sizeOf(x, -1);
  const weight = block.weight(`${name}.weight`, [inSize, outSize]);
  const rows = reshape(x, ['batch*seq', inSize]);
  const y = affine(rows, weight, block.weight(`${name}.bias`, [outSize]));
  return reshape(adapted(block, name, rows, y), ['batch', 'seq', outSize]);
}

/** The output projection `{name}` of attention in this layout; passes `attn.hook_z`. */
export function mixHeadsConv1d(block: Block, name: string, z: Float, dModel: number): Float {
  const joined = joinHeads(z);
  const width = sizeOf(joined, 2);
  block.hook('attn.hook_z', z, () =>
    adaptedWeight(block, name, transpose(block.weight(`${name}.weight`, [width, dModel]), [1, 0])),
  );
  return conv1d(block, name, joined, dModel);
}
