import { UsageError } from '../errors.js';
import type { GradientTap } from './gradient-taps.js';
import { type BlockHook, isBlockHook } from './points.js';

/**
 * A statistic is what leaves the graph at a hook. Every reduction runs over the counted tokens of a prompt, one row a prompt
 * (a batch row is a prompt):
 *
 * - `full`: the activation itself, [batch, seq, …]; `attn.hook_z` [batch, seq, heads, headDim], `attn.hook_pattern`
 *   [batch, heads, query, key] as in TransformerLens
 * - `fire`: number of counted tokens with a value > 0, [batch, width]
 * - `sum`, `sumsq`: of the value over counted tokens, [batch, width] (`attn.hook_z`: width = heads × headDim)
 * - `max`: largest value over counted tokens; `last`: value at the last counted token; both [batch, width]. A prompt
 *   without counted tokens has the lowest float32, or 0
 * - `norm.sum`, `norm.sumsq`, `norm.max`, `norm.last`: of ‖z_h W_O,h‖₂ (Kobayashi et al., EMNLP 2020) over counted
 *   tokens, [batch, heads]; only at `attn.hook_z`
 * - `entropy.sum`, `first.sum`, `previous.sum`: over counted tokens as queries, of the entropy of their pattern row
 *   (nats), of its mass on the first token of the sequence and on the token before the query (0 for the first token)
 *   (Clark et al., BlackboxNLP 2019; of the first token Xiao et al., ICLR 2024), [batch, heads]; only at
 *   `attn.hook_pattern`, which besides has `full` alone
 * - `count`: number of counted tokens that were routed to each expert, [batch, experts]; only at `mlp.hook_router`
 *
 * In a layer with experts, width of `mlp.hook_pre` and `mlp.hook_post` is experts × neurons of each, then those of shared
 * experts. Of a routed expert's neurons only the tokens routed to it exist: `full` has NaN for the others; to `fire`, `sum`,
 * `sumsq`, `max` and `last` they count as 0, which is what the neuron adds to the residual stream then.
 */
export type Statistic =
  | 'full'
  | 'fire'
  | 'sum'
  | 'sumsq'
  | 'max'
  | 'last'
  | 'count'
  | `norm.${'sum' | 'sumsq' | 'max' | 'last'}`
  | `${PatternSummary}.sum`;

/** Summaries of a row of the attention pattern. */
export type PatternSummary = 'entropy' | 'first' | 'previous';

export interface Tap {
  readonly hook: BlockHook;
  readonly statistic: Statistic;
}

/** Name of the graph output of a tap, for example `mlp.hook_pre/fire`. */
export function tapOutput(tap: Tap | GradientTap): string {
  return `${tap.hook}/${tap.statistic}`;
}

/** Statistics that reduce the activation to one row a prompt, and so need to know which tokens count. */
export function reduces({ statistic }: Tap): boolean {
  return statistic !== 'full';
}

const OF_VALUES: readonly Statistic[] = ['full', 'fire', 'sum', 'sumsq', 'max', 'last'];

const OF_ROUTERS: readonly Statistic[] = [...OF_VALUES, 'count'];

const OF_NORMS: readonly Statistic[] = ['norm.sum', 'norm.sumsq', 'norm.max', 'norm.last'];

// A row of the pattern is as wide as the batch is long: sums over prompts of different lengths mean nothing.
const OF_PATTERNS: readonly Statistic[] = ['full', 'entropy.sum', 'first.sum', 'previous.sum'];

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
  if (hook === 'attn.hook_pattern') return OF_PATTERNS;
  if (hook === 'mlp.hook_router') return OF_ROUTERS;
  return hook === 'attn.hook_z' ? [...OF_VALUES, ...OF_NORMS] : OF_VALUES;
}
