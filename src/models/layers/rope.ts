import {
  add,
  cast,
  cos,
  expand,
  type Float,
  greater,
  maximum,
  mul,
  pow,
  reshape,
  rotaryEmbedding,
  sin,
  where,
} from '../../graph/index.js';
import type { Block } from './block.js';

/** How queries and keys are rotated by their positions. */
export interface Rotation {
  /** Radians a position of each rotated pair; fewer than size/2 leave the rest of a head as it is. */
  readonly inverseFrequencies: Float32Array;
  /** Pairs are neighbours (2i, 2i + 1) rather than (i, i + pairs). */
  readonly interleaved: boolean;
  /** Multiplies the rotated elements, and so attention scores by its square (yarn, longrope). */
  readonly factor: number;
  /** Prompts of more than `than` tokens may be rotated otherwise than shorter ones; null: they are not. */
  readonly longer: LongerPrompts | null;
}

export type LongerPrompts =
  | { readonly than: number; readonly inverseFrequencies: Float32Array }
  /** Frequencies times (growth · length / than − growth + 1)^exponents. */
  | { readonly than: number; readonly growth: number; readonly exponents: Float32Array };

/** Rotary position embedding of every head of x [batch, seq, heads, size]. */
export function rotate(block: Block, x: Float, rotation: Rotation): Float {
  const { graph } = block;
  const pairs = rotation.inverseFrequencies.length;
  // Computed in the graph: as tables they would outweigh it.
  const positions = reshape(cast(block.positions(), 'float32'), ['seq', 1]);
  const angles = mul(positions, frequencies(block, rotation));
  const table = (values: Float): Float =>
    expand(rotation.factor === 1 ? values : mul(values, graph.float(rotation.factor)), [
      'batch',
      'seq',
      pairs,
    ]);
  return rotaryEmbedding(x, { cos: table(cos(angles)), sin: table(sin(angles)) }, rotation.interleaved);
}

/** [pairs], or [batch, 1, pairs] where they depend on a prompt's length. */
function frequencies(block: Block, { inverseFrequencies, longer }: Rotation): Float {
  const { graph } = block;
  const usual = graph.float(inverseFrequencies);
  if (longer === null) return usual;
  const lengths = reshape(cast(block.lengths(), 'float32'), ['batch', 1, 1]);
  if ('inverseFrequencies' in longer) {
    return where(greater(lengths, graph.float(longer.than)), graph.float(longer.inverseFrequencies), usual);
  }
  const { than, growth, exponents } = longer;
  const stretch = add(mul(lengths, graph.float(growth / than)), graph.float(1 - growth));
  return mul(usual, pow(maximum(stretch, graph.float(1)), graph.float(exponents)));
}
