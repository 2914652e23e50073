/** A hook point inside a block, without its `blocks.{l}.` prefix (TransformerLens names). */
export type BlockHook =
  | 'hook_resid_pre'
  | 'hook_resid_mid'
  | 'hook_resid_post'
  | 'attn.hook_z'
  | 'attn.hook_pattern'
  | 'mlp.hook_pre'
  | 'mlp.hook_post'
  | 'mlp.hook_router';

/**
 * What leaves the graph at a hook. Every reduction runs over the counted tokens of a prompt, one row a prompt
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

/** What is said of a row of the attention pattern. */
export type PatternSummary = 'entropy' | 'first' | 'previous';

export interface Tap {
  readonly hook: BlockHook;
  readonly statistic: Statistic;
}

/** Name of the graph output of a tap, for example `mlp.hook_pre/fire`. */
export function tapOutput(tap: Tap): string {
  return `${tap.hook}/${tap.statistic}`;
}
