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
import type { Block, NeuronHook } from './block.js';
import { linear } from './linear.js';
import { type GatedMlp, gatedMlp } from './mlp.js';

/** A router's decision about every token; both [batch, seq, experts]. */
export interface Routing {
  /** 1 for the experts that the token goes to, else 0. */
  readonly chosen: Float;
  /** Factors of the outputs of these experts, else 0. */
  readonly weights: Float;
}

export interface RouterOptions {
  /** Experts a token goes to. */
  readonly perToken: number;
  /** From probabilities to what experts are chosen by, both [batch, seq, experts]; default: as they are. */
  readonly rank?: (probabilities: Float) => Float;
  /** From the probabilities of the chosen, [batch, seq, perToken], to the weights of their outputs; default: as they are. */
  readonly weigh?: (probabilities: Float) => Float;
}

/** Sends every token to the experts of highest rank; passes `mlp.hook_router`. */
export function route(
  block: Block,
  computed: Float,
  { perToken, rank = (p) => p, weigh = (p) => p }: RouterOptions,
): Routing {
  const experts = sizeOf(computed, -1);
  const probabilities = block.hook('mlp.hook_router', computed, { chosen: () => routing.chosen });
  const { indices } = topK(rank(probabilities), perToken);
  const ones = expand(block.graph.float(1), indices.shape);
  const routing = {
    chosen: scatterLast(indices, ones, experts),
    weights: scatterLast(indices, weigh(gatherLast(probabilities, indices)), experts),
  };
  return routing;
}

/** Values divided by their sum along the last axis. */
export function normalised(values: Float, least = 0): Float {
  const sum = reshape(sumLast(values), [...values.shape.slice(0, -1), 1]);
  return div(values, least === 0 ? sum : add(sum, values.graph.float(least)));
}

/**
 * Sum of the experts' outputs, each computed for the tokens routed to it alone (Shazeer et al. 2017), and of what
 * experts shared by all tokens put out.
 *
 * @param expert gives the output of expert `index` for its tokens, [tokens, dModel], and passes the hook points of its neurons
 * @param shared output [batch, seq, dModel]; null where there are none
 */
export function mixture(
  block: Block,
  x: Float,
  { chosen, weights }: Routing,
  expert: (index: number, tokens: Float, hook: NeuronHook) => Float,
  shared: Float | null = null,
): Float {
  const dModel = sizeOf(x, 2);
  const flat = reshape(x, ['batch*seq', dModel]);
  const column = (table: Float, index: number): Float =>
    reshape(slice(table, 2, index, index + 1), ['batch*seq']);
  const start = shared ?? expand(block.graph.float(0), ['batch', 'seq', dModel]);
  let sum = reshape(start, ['batch*seq', dModel]);
  for (let index = 0; index < sizeOf(chosen, 2); index++) {
    const tokens = nonZero(column(chosen, index), `tokens_${index}`);
    const out = expert(index, gather(flat, tokens), block.expertHook({ index, tokens }));
    const weight = reshape(gather(column(weights, index), tokens), [dimOf(tokens, 0), 1]);
    sum = scatterRows(sum, tokens, mul(out, weight), 'add');
  }
  return reshape(sum, ['batch', 'seq', dModel]);
}

export interface SoftmaxMixture extends Pick<RouterOptions, 'perToken'> {
  readonly experts: number;
  /** The weights of the chosen experts sum to 1. */
  readonly renormalise: boolean;
  readonly neurons: GatedMlp;
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
  shared: Float | null = null,
): Float {
  const probabilities = softmax(linear(block, `${name}.gate`, x, experts, false));
  const routing = route(block, probabilities, { perToken, ...(renormalise ? { weigh: normalised } : {}) });
  return mixture(
    block,
    x,
    routing,
    (expert, tokens, hook) => gatedMlp(block, `${name}.experts.${expert}`, tokens, neurons, hook),
    shared,
  );
}
