import { softmax } from '../graph/index.js';
import type { Block, Float } from './block.js';
import {
  type GatedNeurons,
  gatedNeurons,
  mixture,
  type Neurons,
  normalised,
  type RouterOptions,
  route,
} from './mixture.js';
import { linear } from './parts.js';

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
