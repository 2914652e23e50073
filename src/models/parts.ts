import type { RotaryTables } from '../graph/operators/attention.js';
import {
  add,
  and,
  cast,
  cos,
  expand,
  gelu,
  gemm,
  less,
  lessOrEqual,
  matMul,
  mul,
  range,
  relu,
  reshape,
  rmsNormalization,
  rotaryEmbedding,
  sigmoid,
  sin,
  softmax,
  sub,
  transpose,
  where,
} from '../graph/operators/index.js';
import { sizeOf } from '../graph/value.js';
import type { Block, Float } from './block.js';

/** The parts that layers of all families are made of. Every activation is float32 [batch, seq, width]. */

/** y = x·Wᵀ (+ b), PyTorch's `nn.Linear`: weights `{name}.weight` [outSize, in] and `{name}.bias`. */
export function linear(block: Block, name: string, x: Float, outSize: number, bias: boolean): Float {
  const inSize = sizeOf(x, -1);
  const weight = block.weight(`${name}.weight`, [outSize, inSize]);
  const y = gemm(
    reshape(x, ['batch*seq', inSize]),
    weight,
    bias ? block.weight(`${name}.bias`, [outSize]) : undefined,
  );
  return reshape(y, ['batch', 'seq', outSize]);
}

/** RMS normalisation over the last axis with weight `{name}.weight`. */
export function rmsNorm(block: Block, name: string, x: Float, epsilon: number): Float {
  return rmsNormalization(x, block.weight(`${name}.weight`, [sizeOf(x, -1)]), epsilon);
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

/** down(act(gate(x))·up(x)) (Shazeer 2020); passes `mlp.hook_pre` and `mlp.hook_post`. */
export function gatedMlp(block: Block, name: string, x: Float, { dMlp, activation, bias }: GatedMlp): Float {
  const pre = linear(block, `${name}.gate_proj`, x, dMlp, bias);
  block.hook('mlp.hook_pre', pre);
  const post = mul(ACTIVATIONS[activation](pre), linear(block, `${name}.up_proj`, x, dMlp, bias));
  block.hook('mlp.hook_post', post);
  return linear(block, `${name}.down_proj`, post, sizeOf(x, -1), bias);
}

export interface SelfAttention {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Of rotary position embedding, radians a position, [headDim / 2]. */
  readonly inverseFrequencies: Float32Array;
  /** Biases of the projections to queries, keys and values, and of o_proj. */
  readonly bias: { readonly qkv: boolean; readonly out: boolean };
  /** How many of the latest positions a token sees, itself included; null: all before it. */
  readonly window: number | null;
  /** Epsilon of an RMS norm over all queries, and one over all keys (`q_norm`, `k_norm`); null: none. */
  readonly fullNormEpsilon: number | null;
}

/** Causal attention with grouped queries; passes `attn.hook_pattern` and `attn.hook_z`. */
export function selfAttention(block: Block, name: string, x: Float, options: SelfAttention): Float {
  const { heads, kvHeads, headDim, bias, fullNormEpsilon } = options;
  let q = linear(block, `${name}.q_proj`, x, heads * headDim, bias.qkv);
  let k = linear(block, `${name}.k_proj`, x, kvHeads * headDim, bias.qkv);
  const v = linear(block, `${name}.v_proj`, x, kvHeads * headDim, bias.qkv);
  if (fullNormEpsilon !== null) {
    q = rmsNorm(block, `${name}.q_norm`, q, fullNormEpsilon);
    k = rmsNorm(block, `${name}.k_norm`, k, fullNormEpsilon);
  }
  const tables = rotaryTables(block, options.inverseFrequencies);
  q = rotaryEmbedding(q, tables, heads);
  k = rotaryEmbedding(k, tables, kvHeads);

  // Heads that share keys and values form a group: [batch, kvHeads, group, seq, headDim].
  const group = heads / kvHeads;
  const split = (y: Float, size: number): Float =>
    transpose(reshape(y, ['batch', 'seq', kvHeads, size, headDim]), [0, 2, 3, 1, 4]);
  const keys = transpose(reshape(k, ['batch', 'seq', kvHeads, 1, headDim]), [0, 2, 3, 4, 1]);
  const scaled = mul(split(q, group), block.graph.float(headDim ** -0.5));
  const scores = add(matMul(scaled, keys), attentionMask(block, options.window));
  const pattern = softmax(scores);
  if (block.tapped('attn.hook_pattern')) {
    block.hook('attn.hook_pattern', reshape(pattern, ['batch', heads, 'seq', 'seq']));
  }
  const z = reshape(transpose(matMul(pattern, split(v, 1)), [0, 3, 1, 2, 4]), [
    'batch',
    'seq',
    heads,
    headDim,
  ]);
  const dModel = sizeOf(x, -1);
  const mixing = block.weight(`${name}.o_proj.weight`, [dModel, heads * headDim]);
  block.hook('attn.hook_z', z, mixing);
  return linear(block, `${name}.o_proj`, reshape(z, ['batch', 'seq', heads * headDim]), dModel, bias.out);
}

/** cos and sin of every position's angles, computed in the graph: as tables they would outweigh it. */
function rotaryTables(block: Block, inverseFrequencies: Float32Array): RotaryTables {
  const positions = range(block.graph, 'seq');
  const column = reshape(cast(positions, 'float32'), ['seq', 1]);
  const angles = mul(column, block.graph.float(inverseFrequencies));
  return { cos: cos(angles), sin: sin(angles), positions: expand(positions, ['batch', 'seq']) };
}

/** [query, key]: 0 where key ≤ query and no further back than the window, −∞ elsewhere. */
function attentionMask(block: Block, window: number | null): Float {
  const { graph } = block;
  const keys = range(graph, 'seq');
  const queries = reshape(keys, ['seq', 1]);
  const causal = lessOrEqual(keys, queries);
  const seen = window === null ? causal : and(causal, less(sub(queries, keys), graph.int64(window)));
  return where(seen, graph.float(0), graph.float(Number.NEGATIVE_INFINITY));
}
