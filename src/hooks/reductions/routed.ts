import {
  cast,
  concat,
  dimOf,
  equal,
  expand,
  type Float,
  floorDivide,
  gather,
  greater,
  matMul,
  mul,
  range,
  reshape,
  scatterRows,
  sizeOf,
  sumLast,
  type Value,
  where,
} from '../../graph/index.js';
import { LOWEST_FLOAT32, SUMS } from './counted.js';

/** The values that one expert computes, for the tokens that were routed to it and no others. */
export interface ExpertActivation {
  /** int64 [count]: its tokens, ascending, as indices into batch × seq. */
  readonly tokens: Value<'int64'>;
  /** [count, width] */
  readonly value: Float;
}

/** An activation of a mixture of experts: neurons run expert by expert, those of shared experts last. */
export interface RoutedActivation {
  readonly experts: readonly ExpertActivation[];
  /** The values of experts that every token passes, [batch, seq, width]. */
  readonly shared: Float | null;
}

/** The whole activation, [batch, seq, experts × width + shared width]; NaN where a token was not routed to the expert. */
export function spreadRouted({ experts, shared }: RoutedActivation): Float {
  const parts = experts.map(({ tokens, value }) => {
    const width = sizeOf(value, 1);
    const nothing = expand(value.graph.float(Number.NaN), ['batch', 'seq', width]);
    const table = scatterRows(reshape(nothing, ['batch*seq', width]), tokens, value, 'none');
    return reshape(table, ['batch', 'seq', width]);
  });
  return concat(shared === null ? parts : [...parts, shared], 2);
}

/**
 * A statistic of the experts' part of an activation, [batch, experts × width]: each expert over the counted tokens that were
 * routed to it. `max` and `last` are of all counted tokens, 0 where a token was not routed to the expert.
 */
export function recordRouted(
  statistic: keyof typeof SUMS | 'max',
  experts: readonly ExpertActivation[],
  counted: Float,
): Float {
  if (statistic === 'max')
    return concat(
      experts.map((expert) => maxRouted(expert, counted)),
      1,
    );
  const { of, over } = SUMS[statistic];
  const weights = over(counted);
  return concat(
    experts.map(({ tokens, value }) => sumRouted({ tokens, value: of(value) }, weights)),
    1,
  );
}

/** Σ over the tokens of one expert, each with its weight of [batch, seq], → [batch, width]. */
export function sumRouted({ tokens, value }: ExpertActivation, weights: Float): Float {
  return matMul(tokenWeights(tokens, weights), value);
}

/** Largest value over counted tokens, [batch, width]: 0 at the least where one of them was not routed to the expert. */
function maxRouted({ tokens, value }: ExpertActivation, counted: Float): Float {
  const { graph } = value;
  const [count, width] = [dimOf(tokens, 0), sizeOf(value, 1)];
  const lowest = graph.float(LOWEST_FLOAT32);
  const isCounted = reshape(greater(gather(flat(counted), tokens), graph.float(0)), [count, 1]);
  // onnxruntime's ReduceSum leaves an axis of no tokens as it is.
  const routed = matMul(tokenWeights(tokens, counted), cast(isCounted, 'float32'));
  const all = reshape(sumLast(counted), ['batch', 1]);
  const least = expand(where(greater(all, routed), graph.float(0), lowest), ['batch', width]);
  return scatterRows(least, promptOf(tokens), where(isCounted, value, lowest), 'max');
}

/** The weight of each token, in the row of the prompt that it belongs to, [batch, count]; shared between taps. */
function tokenWeights(tokens: Value<'int64'>, weights: Float): Float {
  const ofTokens = WEIGHTS.get(tokens) ?? new Map<Float, Float>();
  WEIGHTS.set(tokens, ofTokens);
  const known = ofTokens.get(weights);
  if (known !== undefined) return known;
  const own = equal(reshape(range(tokens.graph, 'batch'), ['batch', 1]), promptOf(tokens));
  const made = mul(cast(own, 'float32'), gather(flat(weights), tokens));
  ofTokens.set(weights, made);
  return made;
}

const WEIGHTS = new WeakMap<Value<'int64'>, Map<Float, Float>>();

/** Row of the prompt that each token belongs to. */
function promptOf(tokens: Value<'int64'>): Value<'int64'> {
  return floorDivide(tokens, tokens.graph.symbol('seq'));
}

function flat(values: Float): Float {
  return reshape(values, ['batch*seq']);
}
