import { add, type Float } from '../../graph/index.js';
import type { Decoder } from '../config/decoder.js';
import type { Architecture } from '../family.js';
import type { Block } from './block.js';
import { tokenEnds } from './ends.js';
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

/** Half of a layer, given the normalised residual stream; `name` is where its weights are. */
export type NormedHalf = (block: Block, name: string, x: Float, layer: number) => Float;

/** Llama's layout: each half of a layer normalises the residual stream, transforms it and adds what comes out. */
export function preNormModel(
  decoder: Decoder,
  attention: NormedHalf,
  mlp: NormedHalf,
  shape: Architecture['shape'] = decoder.shape,
): Architecture {
  return {
    shape,
    ...tokenEnds(decoder),
    layer(block, index, hidden) {
      const name = `model.layers.${index}`;
      const norm = (part: string, x: Float): Float => rmsNorm(block, `${name}.${part}`, x, decoder.epsilon);
      return sequentialLayer(
        block,
        hidden,
        (x) => attention(block, `${name}.self_attn`, norm('input_layernorm', x), index),
        (x) => mlp(block, `${name}.mlp`, norm('post_attention_layernorm', x), index),
      );
    },
  };
}
