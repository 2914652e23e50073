import { type Dim, type Float, Value } from '../graph.js';
import { broadcast, dimOf, mismatch } from '../shapes.js';

/** Matrix product over the last two axes; the axes before them broadcast. */
export function matMul(a: Float, b: Float): Float {
  if (a.rank < 2 || b.rank < 2 || dimOf(a, -1) !== dimOf(b, -2)) {
    throw mismatch('MatMul', 'inner dimensions differ', [a, b]);
  }
  const stack = (x: Float): Value => new Value(x.graph, x.name, x.dtype, x.shape.slice(0, -2));
  const shape: Dim[] = [...broadcast('MatMul', stack(a), stack(b)), dimOf(a, -2), dimOf(b, -1)];
  return a.graph.node('MatMul', [a, b], [['float32', shape]])[0];
}

/**
 * x·Wᵀ + bias for x [n, in] and W [out, in], the layout in which PyTorch stores a linear layer: it runs at
 * full speed as it lies, without a transposed copy.
 */
export function gemm(x: Float, weight: Float, bias?: Float): Float {
  const operands = bias === undefined ? [x, weight] : [x, weight, bias];
  if (x.rank !== 2 || weight.rank !== 2 || dimOf(x, 1) !== dimOf(weight, 1)) {
    throw mismatch('Gemm', 'inner dimensions differ', operands);
  }
  if (bias !== undefined && (bias.rank !== 1 || dimOf(bias, 0) !== dimOf(weight, 0))) {
    throw mismatch('Gemm', 'the bias does not fit', operands);
  }
  const shape = [dimOf(x, 0), dimOf(weight, 0)];
  return x.graph.node('Gemm', operands, [['float32', shape]], { transB: 1 })[0];
}

/** x·W (+ bias) for x [n, in] and W [in, out], the layout in which GPT-2 stores its layers. */
export function affine(x: Float, weight: Float, bias?: Float): Float {
  const operands = bias === undefined ? [x, weight] : [x, weight, bias];
  if (x.rank !== 2 || weight.rank !== 2 || dimOf(x, 1) !== dimOf(weight, 0)) {
    throw mismatch('Gemm', 'inner dimensions differ', operands);
  }
  if (bias !== undefined && (bias.rank !== 1 || dimOf(bias, 0) !== dimOf(weight, 1))) {
    throw mismatch('Gemm', 'the bias does not fit', operands);
  }
  return x.graph.node('Gemm', operands, [['float32', [dimOf(x, 0), dimOf(weight, 1)]]])[0];
}
