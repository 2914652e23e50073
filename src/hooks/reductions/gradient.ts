import {
  concat,
  expand,
  type Float,
  GraphError,
  mul,
  reshape,
  sqrt,
  sumLast,
  sumOver,
} from '../../graph/index.js';
import type { GradientTap } from '../gradient-taps.js';
import { magnitude } from './counted.js';
import type { Activation } from './record.js';
import { type ExpertActivation, spreadRouted, sumRouted } from './routed.js';

/** Gives the gradient with regard to a value of the graph; zeros where nothing depends on it. */
export type GradientOf = (value: Float) => Float;

/** What a tap records of the gradient at a hook point. Every token of a prompt counts; at padding gradients are 0. */
export function recordGradient(tap: GradientTap, activation: Activation, gradientOf: GradientOf): Float {
  if ('experts' in activation)
    return recordRoutedGradient(tap, activation.experts, activation.shared, gradientOf);
  const { value } = activation;
  const gradient = gradientOf(value);
  switch (tap.statistic) {
    case 'gradient':
      return gradient;
    case 'gradient.norm.sum':
      return sumOver(reshape(sqrt(sumLast(mul(gradient, gradient))), ['batch', 'seq', 1]), [1]);
    default:
      return sumOver(signed(tap, perUnit(tap, mul(value, gradient))), [1]);
  }
}

function recordRoutedGradient(
  tap: GradientTap,
  experts: readonly ExpertActivation[],
  shared: Float | null,
  gradientOf: GradientOf,
): Float {
  const own = experts.map(({ tokens, value }) => ({ tokens, value: gradientOf(value) }));
  if (tap.statistic === 'gradient') {
    return spreadRouted({ experts: own, shared: shared && gradientOf(shared) });
  }
  if (tap.statistic === 'gradient.norm.sum') {
    throw new GraphError({ what: 'experts have no vector whose norm this is', where: tap.hook });
  }
  const products = own.map(({ tokens, value }, i) => ({
    tokens,
    value: signed(tap, mul(value, experts[i]!.value)),
  }));
  const [first] = products;
  const every = expand(first!.value.graph.float(1), ['batch', 'seq']);
  const parts = products.map((product) => sumRouted(product, every));
  if (shared === null) return concat(parts, 1);
  return concat([...parts, sumOver(signed(tap, mul(shared, gradientOf(shared))), [1])], 1);
}

/** Of a head the sum over its elements, ⟨z, ∂L/∂z⟩; other units have one value. */
function perUnit({ hook }: GradientTap, products: Float): Float {
  return hook === 'attn.hook_z' ? sumLast(products) : products;
}

function signed({ statistic }: GradientTap, products: Float): Float {
  return statistic === 'attribution.abs' ? magnitude(products) : products;
}
