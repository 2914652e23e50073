import { add } from '../graph/operators/index.js';
import type { Block, Float } from './block.js';
import type { Decoder } from './decoder.js';
import { gatedMlp, rmsNorm, selfAttention } from './parts.js';

export interface PreNormOptions {
  readonly attentionBias: { readonly qkv: boolean; readonly out: boolean };
  readonly mlpBias: boolean;
  /** How many of the latest positions a token sees; null: all. */
  readonly window: number | null;
}

/** Llama's layer: each half normalises the residual stream, transforms it and adds what comes out. */
export function preNormLayer(
  block: Block,
  name: string,
  pre: Float,
  { shape, activation, epsilon, inverseFrequencies }: Decoder,
  { attentionBias, mlpBias, window }: PreNormOptions,
): Float {
  block.hook('hook_resid_pre', pre);
  const attended = selfAttention(
    block,
    `${name}.self_attn`,
    rmsNorm(block, `${name}.input_layernorm`, pre, epsilon),
    { ...shape, inverseFrequencies, bias: attentionBias, window, fullNormEpsilon: null },
  );
  const mid = add(pre, attended);
  block.hook('hook_resid_mid', mid);
  const fed = gatedMlp(
    block,
    `${name}.mlp`,
    rmsNorm(block, `${name}.post_attention_layernorm`, mid, epsilon),
    { dMlp: shape.dMlp, activation, bias: mlpBias },
  );
  const post = add(mid, fed);
  block.hook('hook_resid_post', post);
  return post;
}
