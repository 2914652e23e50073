import { UsageError } from '../errors.js';
import {
  cast,
  greater,
  matMul,
  maximum,
  mul,
  reshape,
  sqrt,
  sumLast,
  transpose,
} from '../graph/operators/index.js';
import { type Dim, dimOf, sizeOf, type Value } from '../graph/value.js';
import { isBlockHook } from './points.js';
import { type BlockHook, type Statistic, type Tap, tapOutput } from './taps.js';

type Float = Value<'float32'>;

/** What a block offers at a hook point. */
export interface Activation {
  /** [batch, seq, …]; the attention pattern is [batch, heads, query, key]. */
  readonly value: Float;
  /** At `attn.hook_z`: the weight of o_proj, [dModel, heads × headDim]. */
  readonly mixing?: Float;
}

/** Statistics that reduce the activation to one row a prompt, and so need to know which tokens count. */
export function reduces({ statistic }: Tap): boolean {
  return statistic !== 'full';
}

const STATISTICS: readonly Statistic[] = ['full', 'fire', 'sum', 'sumsq', 'norm.sum', 'norm.sumsq'];

/**
 * @throws UsageError for a tap that would record nothing: an unknown hook or statistic, a statistic that the hook
 * does not have, or the same tap twice.
 */
export function validateTaps(taps: readonly Tap[]): void {
  const seen = new Set<string>();
  for (const tap of taps) {
    const where = tapOutput(tap);
    if (!isBlockHook(tap.hook)) throw new UsageError({ what: 'unknown hook', where });
    const known = statisticsOf(tap.hook);
    if (!known.includes(tap.statistic)) {
      throw new UsageError({
        what: `${tap.hook} has no statistic ${tap.statistic}`,
        where,
        expected: known.join(', '),
      });
    }
    if (seen.has(where)) throw new UsageError({ what: 'the same tap twice', where });
    seen.add(where);
  }
}

/** The statistics a hook can record. */
export function statisticsOf(hook: BlockHook): readonly Statistic[] {
  if (hook === 'attn.hook_z') return STATISTICS;
  // A row of the pattern is as wide as the batch is long: sums over prompts of different lengths mean nothing.
  if (hook === 'attn.hook_pattern') return ['full'];
  return STATISTICS.filter((statistic) => !statistic.startsWith('norm.'));
}

/** What a tap records of an activation; `counted` float32 [batch, seq] is 1 where a token counts. */
export function record(tap: Tap, { value, mixing }: Activation, counted: Float | null): Float {
  if (tap.statistic === 'full') return value;
  if (counted === null)
    throw new UsageError({ what: 'no counted tokens to reduce over', where: tapOutput(tap) });
  const [batch, seq] = [dimOf(value, 0), dimOf(value, 1)];
  const rows = reshape(value, [batch, seq, value.shape.slice(2).reduce<number>((n, d) => n * Number(d), 1)]);
  switch (tap.statistic) {
    case 'fire':
      return sumCounted(cast(greater(rows, value.graph.float(0)), 'float32'), counted);
    case 'sum':
      return sumCounted(rows, counted);
    case 'sumsq':
      return sumCounted(mul(rows, rows), counted);
    case 'norm.sum':
      return sumCounted(sqrt(squaredNorms(value, mixing, tap)), counted);
    case 'norm.sumsq':
      return sumCounted(squaredNorms(value, mixing, tap), counted);
  }
}

/** Σ over counted tokens of values [batch, seq, width] → [batch, width]. */
function sumCounted(values: Float, counted: Float): Float {
  const [batch, seq, width] = [dimOf(values, 0), dimOf(values, 1), sizeOf(values, 2)];
  return reshape(matMul(reshape(counted, [batch, 1, seq]), values), [batch, width]);
}

/**
 * ‖z_h W_O,h‖² of each head, [batch, seq, heads], as z G zᵀ with G = W_O,h W_O,hᵀ: a heads × dModel vector a token
 * is never made.
 */
function squaredNorms(z: Float, mixing: Float | undefined, tap: Tap): Float {
  if (mixing === undefined)
    throw new UsageError({ what: 'this hook has no output weight', where: tapOutput(tap) });
  const [batch, seq, heads, headDim] = z.shape as [Dim, Dim, number, number];
  const dModel = sizeOf(mixing, 0);
  const perHead = transpose(reshape(mixing, [dModel, heads, headDim]), [1, 2, 0]);
  const gram = matMul(perHead, transpose(perHead, [0, 2, 1]));
  const zByHead = transpose(z, [0, 2, 1, 3]);
  const squares = sumLast(mul(matMul(zByHead, gram), zByHead));
  // Rounding can leave a tiny negative where the norm is near zero.
  const norms = maximum(squares, z.graph.float(0));
  return reshape(transpose(norms, [0, 2, 1]), [batch, seq, heads]);
}
