import type { Float, OPERATORS } from '../graph.js';
import { affine, gemm, matMul, sumOver, transpose } from '../operators/index.js';
import { sumTo } from './arrange.js';
import { type GradientRule, operand } from './rule.js';

export const LINEAR: Record<(typeof OPERATORS)['linear'][number], GradientRule> = {
  /** The weight is read as it lies, in the other order: nothing is transposed for the gradient of x. */
  Gemm: (node, gradient) => {
    const [x, weight] = [operand(node, 0), operand(node, 1)];
    const outByIn = node.attributes.transB === 1;
    return [
      () => (outByIn ? affine(gradient, weight) : gemm(gradient, weight)),
      () => (outByIn ? matMul(turned(gradient), x) : matMul(turned(x), gradient)),
      () => sumOver(gradient, [0]),
    ];
  },
  MatMul: (node, gradient) => {
    const [a, b] = [operand(node, 0), operand(node, 1)];
    return [
      () => sumTo(matMul(gradient, turned(b)), a.shape),
      () => sumTo(matMul(turned(a), gradient), b.shape),
    ];
  },
};

/** The last two axes exchanged. */
function turned(x: Float): Float {
  const { rank } = x;
  return transpose(x, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
}
