import {
  gelu,
  gemm,
  layerNormalization,
  mul,
  relu,
  reshape,
  rmsNormalization,
  sigmoid,
  sizeOf,
  tanh,
} from '../graph/index.js';
import type { Block, Float } from './block.js';
import { adapted } from './low-rank.js';

/** The parts that layers of all families are made of. Every activation is float32 [batch, seq, width]. */

/**
 * y = x·Wᵀ (+ b), PyTorch's `nn.Linear`: weights `{name}.weight` [outSize, in] and `{name}.bias`; x may also be [tokens, in].
 */
export function linear(block: Block, name: string, x: Float, outSize: number, bias: boolean): Float {
  return project(block, name, x, outSize, bias, (rows, y) => adapted(block, name, rows, y));
}

/** As `linear`, by weights that are in no `nn.Linear`, which adapters leave alone: those of some routers. */
export function unadaptedLinear(block: Block, name: string, x: Float, outSize: number, bias: boolean): Float {
  return project(block, name, x, outSize, bias, (_, y) => y);
}

function project(
  block: Block,
  name: string,
  x: Float,
  outSize: number,
  bias: boolean,
  adapt: (rows: Float, y: Float) => Float,
): Float {
  const inSize = sizeOf(x, -1);
  const weight = block.weight(`${name}.weight`, [outSize, inSize]);
  const rows = x.rank === 2 ? x : reshape(x, ['batch*seq', inSize]);
  const y = gemm(rows, weight, bias ? block.weight(`${name}.bias`, [outSize]) : undefined);
  const out = adapt(rows, y);
  return x.rank === 2 ? out : reshape(out, ['batch', 'seq', outSize]);
}

/** x times a number that config.json gives. */
export function scaled(x: Float, factor: number): Float {
  return factor === 1 ? x : mul(x, x.graph.float(factor));
}

/** RMS normalisation over the last axis with weight `{name}.weight`. */
export function rmsNorm(block: Block, name: string, x: Float, epsilon: number): Float {
  return rmsNormalization(x, block.weight(`${name}.weight`, [sizeOf(x, -1)]), epsilon);
}

/** Layer normalisation over the last axis with weight `{name}.weight` and, where there is one, `{name}.bias`. */
export function layerNorm(block: Block, name: string, x: Float, epsilon: number, bias: boolean): Float {
  const size = sizeOf(x, -1);
  const weight = block.weight(`${name}.weight`, [size]);
  return layerNormalization(x, weight, bias ? block.weight(`${name}.bias`, [size]) : null, epsilon);
}

/** x less its mean over its standard deviation, over the last axis: layer normalisation without weights. */
export function standardized(x: Float, epsilon: number): Float {
  const ones = x.graph.float(new Float32Array(sizeOf(x, -1)).fill(1));
  return layerNormalization(x, ones, null, epsilon);
}

/** cap·tanh(x / cap): x kept within (−cap, cap); null leaves x as it is. */
export function softCap(x: Float, cap: number | null): Float {
  return cap === null ? x : scaled(tanh(scaled(x, 1 / cap)), cap);
}

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
