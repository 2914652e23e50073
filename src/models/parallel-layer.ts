import { add } from '../graph/index.js';
import type { Block, Float } from './block.js';
import type { Half } from './sequential-layer.js';

/** A layer whose attention and MLP read the same residual stream: there is nothing between them, no `hook_resid_mid`. */
export function parallelLayer(block: Block, pre: Float, attention: Half, mlp: Half): Float {
  block.hook('hook_resid_pre', pre);
  const post = add(pre, add(attention(pre), mlp(pre)));
  block.hook('hook_resid_post', post);
  return post;
}
