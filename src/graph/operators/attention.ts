import { dimOf, mismatch, type Value } from '../value.js';

type Float = Value<'float32'>;

export interface RotaryTables {
  /** [positions, headDim / 2] */
  readonly cos: Float;
  readonly sin: Float;
  /** int64 [batch, seq] */
  readonly positions: Value<'int64'>;
}

/**
 * Rotary position embedding (Su et al. 2021) of x [batch, seq, heads × headDim]: in each head, element i of the
 * first half is rotated together with element i of the second, as Hugging Face stores the projections.
 */
export function rotaryEmbedding(x: Float, { cos, sin, positions }: RotaryTables, heads: number): Float {
  if (x.rank !== 3 || dimOf(x, 2) !== 2 * heads * Number(dimOf(cos, 1))) {
    throw mismatch('RotaryEmbedding', `the tables do not fit ${heads} heads`, [x, cos]);
  }
  const attributes = { num_heads: heads, interleaved: 0 };
  return x.graph.node('RotaryEmbedding', [x, cos, sin, positions], [['float32', x.shape]], attributes)[0];
}
