/** A hook point inside a block, without its `blocks.{l}.` prefix (TransformerLens names). */
export type BlockHook =
  | 'hook_resid_pre'
  | 'hook_resid_mid'
  | 'hook_resid_post'
  | 'attn.hook_z'
  | 'attn.hook_pattern'
  | 'mlp.hook_pre'
  | 'mlp.hook_post';

/**
 * What leaves the graph at a hook. Every reduction runs over the counted tokens of a prompt, one row a prompt
 * (a batch row is a prompt):
 *
 * - `full`: the activation itself, [batch, seq, …]; `attn.hook_z` [batch, seq, heads, headDim], `attn.hook_pattern`
 *   [batch, heads, query, key] as in TransformerLens, which has no other statistic
 * - `fire`: number of counted tokens with a value > 0, [batch, width]
 * - `sum`, `sumsq`: of the value over counted tokens, [batch, width] (`attn.hook_z`: width = heads × headDim)
 * - `norm.sum`, `norm.sumsq`: of ‖z_h W_O,h‖₂ over counted tokens, [batch, heads]; only at `attn.hook_z`
 */
export type Statistic = 'full' | 'fire' | 'sum' | 'sumsq' | 'norm.sum' | 'norm.sumsq';

export interface Tap {
  readonly hook: BlockHook;
  readonly statistic: Statistic;
}

/** Name of the graph output of a tap, for example `mlp.hook_pre/fire`. */
export function tapOutput(tap: Tap): string {
  return `${tap.hook}/${tap.statistic}`;
}
