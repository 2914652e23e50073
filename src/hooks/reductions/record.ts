import { UsageError } from '../../errors.js';
import {
  and,
  cast,
  concat,
  type Dim,
  dimOf,
  type Float,
  greater,
  less,
  lessOrEqual,
  log,
  matMul,
  maximum,
  mul,
  range,
  reshape,
  sizeOf,
  sqrt,
  sub,
  sumLast,
  transpose,
  type Value,
} from '../../graph/index.js';
import { type PatternSummary, type Tap, tapOutput } from '../taps.js';
import { lastCounted, maxCounted, sumCounted } from './counted.js';
import { type RoutedActivation, recordRouted, spreadRouted } from './routed.js';

/** What a block offers at a hook point. */
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

/** What a tap records of an activation; `counted` float32 [batch, seq] is 1 where a token counts. */
export function record(tap: Tap, activation: Activation, counted: Float | null): Float {
  const routed = 'experts' in activation;
  if (tap.statistic === 'full') return routed ? spreadRouted(activation) : activation.value;
  if (counted === null)
    throw new UsageError({ what: 'no counted tokens to reduce over', where: tapOutput(tap) });
  if (!routed) return recordWhole(tap, activation, counted);
  const experts = recordRouted(tap, activation.experts, counted);
  if (activation.shared === null) return experts;
  return concat([experts, recordWhole(tap, { value: activation.shared }, counted)], 1);
}

function recordWhole(tap: Tap, { value, mixing, chosen, queries }: WholeActivation, counted: Float): Float {
  const { hook, statistic } = tap;
  if (hook === 'attn.hook_pattern') {
    const perQuery = summarizePattern(value, statistic.split('.')[0] as PatternSummary, queries);
    return sumCounted(transpose(perQuery, [0, 2, 1]), counted);
  }
  const [batch, seq] = [dimOf(value, 0), dimOf(value, 1)];
  const values = (): Float =>
    reshape(value, [batch, seq, value.shape.slice(2).reduce<number>((n, d) => n * Number(d), 1)]);
  const squares = (): Float => squaredNorms(value, mixing, tap);
  switch (statistic) {
    case 'fire':
      return sumCounted(cast(greater(values(), value.graph.float(0)), 'float32'), counted);
    case 'sum':
      return sumCounted(values(), counted);
    case 'sumsq':
      return sumCounted(mul(values(), values()), counted);
    case 'max':
      return maxCounted(values(), counted);
    case 'last':
      return sumCounted(values(), lastCounted(counted));
    case 'count':
      if (chosen === undefined)
        throw new UsageError({ what: 'nothing was routed here', where: tapOutput(tap) });
      return sumCounted(chosen(), counted);
    case 'norm.sum':
      return sumCounted(sqrt(squares()), counted);
    case 'norm.sumsq':
      return sumCounted(squares(), counted);
    case 'norm.max':
      return maxCounted(sqrt(squares()), counted);
    case 'norm.last':
      return sumCounted(sqrt(squares()), lastCounted(counted));
    default:
      throw new UsageError({ what: `${hook} has no statistic ${statistic}`, where: tapOutput(tap) });
  }
}

/** Rows below this contribute nothing to an entropy: p ln p is under 1e-36 there. */
const LEAST_PROBABILITY = 1e-38;

/** One number for each row of a pattern [batch, heads, query, key] → [batch, heads, query]. */
function summarizePattern(
  pattern: Float,
  summary: PatternSummary,
  positions: WholeActivation['queries'],
): Float {
  const { graph } = pattern;
  if (summary === 'entropy') {
    const surprise = sub(graph.float(0), log(maximum(pattern, graph.float(LEAST_PROBABILITY))));
    return sumLast(mul(pattern, surprise));
  }
  const keys = range(graph, String(dimOf(pattern, 3)));
  if (summary === 'first') return sumLast(mul(pattern, cast(lessOrEqual(keys, graph.int64(0)), 'float32')));
  const queries = reshape(positions?.() ?? keys, [dimOf(pattern, 2), 1]);
  const isPrevious = and(less(keys, queries), lessOrEqual(sub(queries, graph.int64(1)), keys));
  return sumLast(mul(pattern, cast(isPrevious, 'float32')));
}

/**
 * ‖z_h W_O,h‖² of each head, [batch, seq, heads], as z G zᵀ with G = W_O,h W_O,hᵀ: a heads × dModel vector a token
 * is never made.
 */
function squaredNorms(z: Float, mixing: WholeActivation['mixing'], tap: Tap): Float {
  if (mixing === undefined)
    throw new UsageError({ what: 'this hook has no output weight', where: tapOutput(tap) });
  const [batch, seq, heads, headDim] = z.shape as [Dim, Dim, number, number];
  const weight = mixing();
  const dModel = sizeOf(weight, 0);
  const perHead = transpose(reshape(weight, [dModel, heads, headDim]), [1, 2, 0]);
  const gram = matMul(perHead, transpose(perHead, [0, 2, 1]));
  const zByHead = transpose(z, [0, 2, 1, 3]);
  const squares = sumLast(mul(matMul(zByHead, gram), zByHead));
  // Rounding can leave a tiny negative where the norm is near zero.
  const norms = maximum(squares, z.graph.float(0));
  return reshape(transpose(norms, [0, 2, 1]), [batch, seq, heads]);
}
