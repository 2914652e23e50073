import { UsageError } from '../../errors.js';
import { concat, type Float, mul, reshape, sqrt, type Value } from '../../graph/index.js';
import { type PatternSummary, type Statistic, type Tap, tapOutput } from '../taps.js';
import { squaredNorms, sumPattern } from './attention.js';
import { lastCounted, maxCounted, SUMS, sumCounted } from './counted.js';
import { type RoutedActivation, recordRouted, spreadRouted } from './routed.js';

/** An activation at a hook point. */
export type Activation = WholeActivation | RoutedActivation;

/** An activation that every token has. */
export interface WholeActivation {
  /** [batch, seq, …]; the attention pattern is [batch, heads, query, key]. */
  readonly value: Float;
  /** At `attn.hook_z`: gives the weight of o_proj, [dModel, heads × headDim]. */
  readonly mixing?: () => Float;
  /** At `mlp.hook_router`: 1 for the experts that a token was routed to, else 0, [batch, seq, experts]. */
  readonly chosen?: () => Float;
  /** At `attn.hook_pattern`: positions of the queries, [query], where they are not those of the keys. */
  readonly queries?: () => Value<'int64'>;
}

type Reduction = (activation: WholeActivation, counted: Float) => Float;

/** [batch, width] of each statistic; which of them a hook point has is for `validateTaps` to check. */
const REDUCTIONS: Readonly<Record<Exclude<Statistic, 'full'>, Reduction>> = {
  fire: sumOf('fire'),
  sum: sumOf('sum'),
  sumsq: ({ value }, counted) => sumCounted(mul(flat(value), flat(value)), counted),
  last: sumOf('last'),
  max: ({ value }, counted) => maxCounted(flat(value), counted),
  count: ({ chosen }, counted) => sumCounted(chosen!(), counted),
  'norm.sum': (z, counted) => sumCounted(norms(z), counted),
  'norm.sumsq': (z, counted) => sumCounted(squared(z), counted),
  'norm.max': (z, counted) => maxCounted(norms(z), counted),
  'norm.last': (z, counted) => sumCounted(norms(z), lastCounted(counted)),
  'entropy.sum': sumOfRows('entropy'),
  'first.sum': sumOfRows('first'),
  'previous.sum': sumOfRows('previous'),
};

/** The values that a tap records of an activation; `counted` float32 [batch, seq] is 1 where a token counts. */
export function record({ hook, statistic }: Tap, activation: Activation, counted: Float | null): Float {
  const routed = 'experts' in activation;
  if (statistic === 'full') return routed ? spreadRouted(activation) : activation.value;
  if (counted === null) {
    throw new UsageError({ what: 'no counted tokens to reduce over', where: tapOutput({ hook, statistic }) });
  }
  if (!routed) return REDUCTIONS[statistic](activation, counted);
  const experts = recordRouted(statistic as keyof typeof SUMS | 'max', activation.experts, counted);
  if (activation.shared === null) return experts;
  return concat([experts, REDUCTIONS[statistic]({ value: activation.shared }, counted)], 1);
}

function sumOf(statistic: keyof typeof SUMS): Reduction {
  const { of, over } = SUMS[statistic];
  return ({ value }, counted) => sumCounted(of(flat(value)), over(counted));
}

function sumOfRows(summary: PatternSummary): Reduction {
  return ({ value, queries }, counted) => sumPattern(value, summary, counted, queries?.());
}

function squared({ value, mixing }: WholeActivation): Float {
  return squaredNorms(value, mixing!());
}

function norms(z: WholeActivation): Float {
  return sqrt(squared(z));
}

/** [batch, seq, …] → [batch, seq, width] */
function flat(value: Float): Float {
  const [batch, seq, ...rest] = value.shape;
  return reshape(value, [batch!, seq!, rest.reduce<number>((width, size) => width * Number(size), 1)]);
}
