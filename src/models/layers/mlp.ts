import { type Float, gelu, mul, relu, sigmoid, sizeOf } from '../../graph/index.js';
import type { Block } from './block.js';
import { linear } from './linear.js';

/** Activation functions by their names in `hidden_act`. All are positive exactly where their argument is. */
export const ACTIVATIONS = {
  silu,
  swish: silu,
  gelu: (x: Float) => gelu(x, 'none'),
  gelu_new: (x: Float) => gelu(x, 'tanh'),
  gelu_fast: (x: Float) => gelu(x, 'tanh'),
  gelu_pytorch_tanh: (x: Float) => gelu(x, 'tanh'),
  relu,
} satisfies Record<string, (x: Float) => Float>;

export type ActivationName = keyof typeof ACTIVATIONS;

function silu(x: Float): Float {
  return mul(x, sigmoid(x));
}

export interface GatedMlp {
  readonly dMlp: number;
  readonly activation: ActivationName;
  readonly bias: boolean;
}

/** down(act(gate(x))·up(x)) (Shazeer 2020) with weights `gate_proj`, `up_proj` and `down_proj`. */
export function gatedMlp(block: Block, name: string, x: Float, { dMlp, activation, bias }: GatedMlp): Float {
  const gate = linear(block, `${name}.gate_proj`, x, dMlp, bias);
  const up = linear(block, `${name}.up_proj`, x, dMlp, bias);
  return linear(block, `${name}.down_proj`, gated(block, gate, up, activation), sizeOf(x, -1), bias);
}

/** act(gate)·up, what a gated MLP's neurons do; passes `mlp.hook_pre` and `mlp.hook_post`. */
export function gated(block: Block, gate: Float, up: Float, activation: ActivationName): Float {
  block.hook('mlp.hook_pre', gate);
  const post = mul(ACTIVATIONS[activation](gate), up);
  block.hook('mlp.hook_post', post);
  return post;
}

/**
 * down(act(up(x))), a feed-forward network without a gate: `mlp.hook_pre` is what the activation reads, and
 * `mlp.hook_post` what it gives.
 */
export function ungatedMlp(
  block: Block,
  x: Float,
  activation: ActivationName,
  up: (x: Float) => Float,
  down: (x: Float) => Float,
): Float {
  const pre = up(x);
  block.hook('mlp.hook_pre', pre);
  const post = ACTIVATIONS[activation](pre);
  block.hook('mlp.hook_post', post);
  return down(post);
}
