import { add, type Float } from '../../graph/index.js';
import type { Block } from './block.js';
import { rmsNorm } from './norms.js';

/** Half of a layer: gives what it adds to the residual stream it reads, its norms and multipliers included. */
export type Half = (residual: Float) => Float;

/** A layer whose MLP reads what attention has added; passes the residual stream's hook points. */
export function sequentialLayer(block: Block, hidden: Float, attention: Half, mlp: Half): Float {
  const pre = block.hook('hook_resid_pre', hidden);
  const mid = block.hook('hook_resid_mid', add(pre, attention(pre)));
  return block.hook('hook_resid_post', add(mid, mlp(mid)));
}

/** A layer whose attention and MLP read the same residual stream: there is nothing between them, no `hook_resid_mid`. */
export function parallelLayer(block: Block, hidden: Float, attention: Half, mlp: Half): Float {
  const pre = block.hook('hook_resid_pre', hidden);
  return block.hook('hook_resid_post', add(pre, add(attention(pre), mlp(pre))));
}

/** Part of a layer: reads the normalised residual stream; `name` is where its weights are. */
export type Part = (name: string, x: Float) => Float;

/** Llama's layer: each half normalises the residual stream, transforms it and adds what comes out. */
export function preNormLayer(
  block: Block,
  name: string,
  pre: Float,
  epsilon: number,
  attention: Part,
  mlp: Part,
): Float {
  return sequentialLayer(
    block,
    pre,
    (x) => attention(`${name}.self_attn`, rmsNorm(block, `${name}.input_layernorm`, x, epsilon)),
    (x) => mlp(`${name}.mlp`, rmsNorm(block, `${name}.post_attention_layernorm`, x, epsilon)),
  );
}
