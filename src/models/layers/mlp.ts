import { type Float, gelu, mul, relu, sigmoid, sizeOf } from '../../graph/index.js';
import type { Block, NeuronHook } from './block.js';
import { linear } from './linear.js';
import type { Half } from './transformer.js';

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
  /** Neurons. */
  readonly width: number;
  readonly activation: ActivationName;
  readonly bias?: boolean;
  /** Names of the projections; by default Llama's. */
  readonly parts?: { readonly gate: string; readonly up: string; readonly down: string };
}

const LLAMA_PARTS = { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' };

/**
 * down(act(gate(x))·up(x)) (Shazeer 2020) of x [batch, seq, dModel], or of the tokens of an expert, [tokens, dModel].
 *
 * @param hook Default: the neurons are those of the layer.
 */
export function gatedMlp(
  block: Block,
  name: string,
  x: Float,
  { width, activation, bias = false, parts = LLAMA_PARTS }: GatedMlp,
  hook: NeuronHook = (point, value) => block.hook(point, value),
): Float {
  const gate = linear(block, `${name}.${parts.gate}`, x, width, bias);
  const up = linear(block, `${name}.${parts.up}`, x, width, bias);
  return linear(block, `${name}.${parts.down}`, gated(hook, gate, up, activation), sizeOf(x, -1), bias);
}

/** act(gate)·up, what a gated MLP's neurons do. */
export function gated(hook: NeuronHook, gate: Float, up: Float, activation: ActivationName): Float {
  const pre = hook('mlp.hook_pre', gate);
  return hook('mlp.hook_post', mul(ACTIVATIONS[activation](pre), up));
}

/** Llama's MLP of every layer. */
export function gatedHalf(options: GatedMlp): Half {
  return (block, name, x) => gatedMlp(block, `${name}.mlp`, x, options);
}

export interface UngatedMlp {
  readonly width: number;
  readonly activation: ActivationName;
  /** Default true. */
  readonly bias?: boolean;
  /** Names of the projections; by default those of GPT-NeoX, BLOOM and Falcon. */
  readonly parts?: { readonly up: string; readonly down: string };
  /** How they are stored; default `linear`. */
  readonly project?: typeof linear;
}

const GPT_NEOX_PARTS = { up: 'mlp.dense_h_to_4h', down: 'mlp.dense_4h_to_h' };

/**
 * down(act(up(x))), a feed-forward network without a gate, of every layer: `mlp.hook_pre` is what the activation reads, and
 * `mlp.hook_post` what it gives.
 */
export function ungatedHalf(options: UngatedMlp): Half {
  const { width, activation, bias = true, parts = GPT_NEOX_PARTS, project = linear } = options;
  return (block, name, x) => {
    const pre = block.hook('mlp.hook_pre', project(block, `${name}.${parts.up}`, x, width, bias));
    const post = block.hook('mlp.hook_post', ACTIVATIONS[activation](pre));
    return project(block, `${name}.${parts.down}`, post, sizeOf(x, -1), bias);
  };
}
