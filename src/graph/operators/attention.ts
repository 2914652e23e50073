import type { Float } from '../graph.js';
import { dimOf, mismatch, sizeOf } from '../shapes.js';
import { reshape } from './arrange.js';

/** Cosines and sines of every position's angles, [batch, seq, pairs]. */
export interface RotaryTables {
  readonly cos: Float;
  readonly sin: Float;
}

/**
 * Rotary position embedding (Su et al. 2021) of x [batch, seq, heads, size]: the first 2 × pairs elements of each head
 * are rotated, the rest is kept. Element i forms a pair with element i + pairs, as Hugging Face stores most
 * projections, or, interleaved, 2i with 2i + 1.
 */
export function rotaryEmbedding(x: Float, { cos, sin }: RotaryTables, interleaved: boolean): Float {
  if (x.rank !== 4 || cos.rank !== 3 || 2 * sizeOf(cos, 2) > sizeOf(x, 3)) {
    throw mismatch('RotaryEmbedding', 'the tables are wider than a head', [x, cos]);
  }
  const [heads, size] = [sizeOf(x, 2), sizeOf(x, 3)];
  const rotated = 2 * sizeOf(cos, 2);
  // ONNX takes heads before positions in four dimensions, or, without a transposition, heads × size in three.
  const flat = reshape(x, [dimOf(x, 0), dimOf(x, 1), heads * size]);
  const [result] = x.graph.node('RotaryEmbedding', [flat, cos, sin], [['float32', flat.shape]], {
    num_heads: heads,
    interleaved: Number(interleaved),
    rotary_embedding_dim: rotated === size ? 0 : rotated,
  });
  return reshape(result, x.shape);
}
