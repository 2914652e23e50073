import { add } from '../graph/index.js';
import type { Block, Float } from './block.js';

/** What a half of a layer adds to the residual stream it reads, its norms and multipliers included. */
export type Half = (residual: Float) => Float;

/** A layer whose MLP reads what attention has added; passes the residual stream's hook points. */
export function sequentialLayer(block: Block, pre: Float, attention: Half, mlp: Half): Float {
  block.hook('hook_resid_pre', pre);
  const mid = add(pre, attention(pre));
  block.hook('hook_resid_mid', mid);
  const post = add(mid, mlp(mid));
  block.hook('hook_resid_post', post);
  return post;
}
