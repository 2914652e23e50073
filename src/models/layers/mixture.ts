import {
  add,
  dimOf,
  div,
  expand,
  type Float,
  gather,
  gatherLast,
  mul,
  nonZero,
  reshape,
  scatterLast,
  scatterRows,
  sizeOf,
  slice,
  softmax,
  sumLast,
  topK,
} from '../../graph/index.js';
import type { Block } from './block.js';
import { linear } from './linear.js';
import { ACTIVATIONS, type ActivationName } from './mlp.js';

/** What a router makes of every token; all [batch, seq, experts]. */
export interface Routing {
  /** What it thinks of each expert. */
  readonly probabilities: Float;
  /** 1 for the experts that the token goes to, else 0. */
  readonly chosen: Float;
  /** What their outputs are multiplied by, else 0. */
  readonly weights: Float;
}

export interface RouterOptions {
  /** Experts a token goes to. */
  readonly perToken: number;
  /** By what they are chosen, [batch, seq, experts], where not by probability. */
  readonly rank?: Float;
  /** From the probabilities of the chosen, [batch, seq, perToken], to the weights of their outputs; default: as they are. */
  readonly weigh?: (probabilities: Float) => Float;
}

/** Sends every token to the experts of highest rank. */
export function route(probabilities: Float, { perToken, rank, weigh = (p) => p }: RouterOptions): Routing {
  const experts = sizeOf(probabilities, -1);
  const { indices } = topK(rank ?? probabilities, perToken);
  const ones = expand(probabilities.graph.float(1), indices.shape);
  return {
    probabilities,
    chosen: scatterLast(indices, ones, experts),
    weights: scatterLast(indices, weigh(gatherLast(probabilities, indices)), experts),
  };
}

/** Values divided by their sum along the last axis. */
export function normalised(values: Float, least = 0): Float {
  const sum = reshape(sumLast(values), [...values.shape.slice(0, -1), 1]);
  return div(values, least === 0 ? sum : add(sum, values.graph.float(least)));
}

/** Pre-activations, activations and output of an MLP; the last axis is neurons, neurons, dModel. */
export interface Neurons {
  readonly pre: Float;
  readonly post: Float;
  readonly out: Float;
}

/**
 * Sum of the experts' outputs, each computed for the tokens routed to it alone (Shazeer et al. 2017), and of what
 * experts shared by all tokens put out; passes `mlp.hook_router`, `mlp.hook_pre` and `mlp.hook_post`.
 *
 * @param expert what expert `index` makes of its tokens, [tokens, dModel]
 * @param shared activations [batch, seq, …]; null where there are none
 */
export function mixture(
  block: Block,
  x: Float,
  { probabilities, chosen, weights }: Routing,
  expert: (index: number, tokens: Float) => Neurons,
  shared: Neurons | null = null,
): Float {
  block.pass('mlp.hook_router', { value: probabilities, chosen });
  const dModel = sizeOf(x, 2);
  const flat = reshape(x, ['batch*seq', dModel]);
  const column = (table: Float, index: number): Float =>
    reshape(slice(table, 2, index, index + 1), ['batch*seq']);
  let sum = reshape(shared?.out ?? expand(block.graph.float(0), ['batch', 'seq', dModel]), [
    'batch*seq',
    dModel,
  ]);
  const computed = Array.from({ length: sizeOf(chosen, 2) }, (_, index) => {
    const tokens = nonZero(column(chosen, index), `tokens_${index}`);
    const { pre, post, out } = expert(index, gather(flat, tokens));
    const weight = reshape(gather(column(weights, index), tokens), [dimOf(tokens, 0), 1]);
    sum = scatterRows(sum, tokens, mul(out, weight), 'add');
    return { tokens, pre, post };
  });
  const routed = (activation: 'pre' | 'post') => ({
    experts: computed.map((one) => ({ tokens: one.tokens, value: one[activation] })),
    shared: shared?.[activation] ?? null,
  });
  block.pass('mlp.hook_pre', routed('pre'));
  block.pass('mlp.hook_post', routed('post'));
  return reshape(sum, ['batch', 'seq', dModel]);
}

export interface GatedNeurons {
  readonly width: number;
  readonly activation: ActivationName;
  readonly bias?: boolean;
  /** Names of the projections; by default Llama's. */
  readonly parts?: { readonly gate: string; readonly up: string; readonly down: string };
}

const LLAMA_PARTS = { gate: 'gate_proj', up: 'up_proj', down: 'down_proj' };

/** down(act(gate(x))·up(x)) of x [tokens, dModel] or [batch, seq, dModel], an expert's or that of all tokens. */
export function gatedNeurons(
  block: Block,
  name: string,
  x: Float,
  { width, activation, bias = false, parts = LLAMA_PARTS }: GatedNeurons,
): Neurons {
  const pre = linear(block, `${name}.${parts.gate}`, x, width, bias);
  const up = linear(block, `${name}.${parts.up}`, x, width, bias);
  const post = mul(ACTIVATIONS[activation](pre), up);
  return { pre, post, out: linear(block, `${name}.${parts.down}`, post, sizeOf(x, -1), bias) };
}

export interface SoftmaxMixture extends Pick<RouterOptions, 'perToken'> {
  readonly experts: number;
  /** The weights of the chosen experts sum to 1. */
  readonly renormalise: boolean;
  readonly neurons: GatedNeurons;
}

/**
 * Experts `{name}.experts.{number}` that are chosen and weighed by a softmax over the linear layer `{name}.gate`, as those of
 * Mixtral, Qwen and OLMoE are.
 */
export function softmaxMixture(
  block: Block,
  name: string,
  x: Float,
  { experts, perToken, renormalise, neurons }: SoftmaxMixture,
  shared: Neurons | null = null,
): Float {
  const probabilities = softmax(linear(block, `${name}.gate`, x, experts, false));
  const routing = route(probabilities, { perToken, ...(renormalise ? { weigh: normalised } : {}) });
  return mixture(
    block,
    x,
    routing,
    (expert, tokens) => gatedNeurons(block, `${name}.experts.${expert}`, tokens, neurons),
    shared,
  );
}
