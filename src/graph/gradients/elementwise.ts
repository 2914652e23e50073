import type { Float, Node, OPERATORS, Value } from '../graph.js';
import {
  add,
  cast,
  cos,
  div,
  erf,
  exp,
  greater,
  log,
  mul,
  pow,
  sin,
  sub,
  tanh,
  where,
} from '../operators/index.js';
import { sumTo } from './arrange.js';
import { type GradientRule, operand, result } from './rule.js';

/** Derivatives element by element; where operands were broadcast, their gradients are summed. */
export const ELEMENTWISE: Record<(typeof OPERATORS)['elementwise'][number], GradientRule | null> = {
  And: null,
  Equal: null,
  Greater: null,
  Less: null,
  LessOrEqual: null,
  Add: binary((g) => [() => g, () => g]),
  Sub: binary((g) => [() => g, () => scaled(g, -1)]),
  Mul: binary((g, a, b) => [() => mul(g, b), () => mul(g, a)]),
  Div: binary((g, _, b, quotient) => [() => div(g, b), () => scaled(div(mul(g, quotient), b), -1)]),
  Pow: binary((g, a, b, power) => [
    () => mul(g, mul(b, pow(a, sub(b, a.graph.float(1))))),
    () => mul(g, mul(power, log(a))),
  ]),
  Max: binary((g, a, b) => [() => mul(g, isGreater(a, b)), () => mul(g, isGreater(b, a))]),
  Min: binary((g, a, b) => [() => mul(g, isGreater(b, a)), () => mul(g, isGreater(a, b))]),
  Where: (node, gradient) => {
    const condition = node.inputs[0] as Value<'bool'>;
    const nothing = gradient.graph.float(0);
    return [
      null,
      () => sumTo(where(condition, gradient, nothing), operand(node, 1).shape),
      () => sumTo(where(condition, nothing, gradient), operand(node, 2).shape),
    ];
  },
  Cast: (node, gradient) => [() => cast(gradient, operand(node, 0).dtype)],
  /** 1 within the limits, themselves included, as PyTorch has it. */
  Clip: (node, gradient) => {
    const [x, low, high] = [operand(node, 0), operand(node, 1), operand(node, 2)];
    const nothing = gradient.graph.float(0);
    return [() => where(greater(x, high), nothing, where(greater(low, x), nothing, gradient)), null, null];
  },
  Cos: unary((x) => scaled(sin(x), -1)),
  Sin: unary((x) => cos(x)),
  Exp: unary((_, y) => y),
  /** 2/√π · e^(−x²) */
  Erf: unary((x) => scaled(exp(scaled(mul(x, x), -1)), 2 / Math.sqrt(Math.PI))),
  Gelu: unary((x, _, { attributes }) => (attributes.approximate === 'tanh' ? tanhSlope(x) : erfSlope(x))),
  Log: unary((x) => div(x.graph.float(1), x)),
  /** 0 at 0, as PyTorch has it. */
  Relu: unary((x) => cast(greater(x, x.graph.float(0)), 'float32')),
  Sigmoid: unary((_, y) => mul(y, oneLess(y))),
  Sqrt: unary((_, y) => div(y.graph.float(0.5), y)),
  Tanh: unary((_, y) => oneLess(mul(y, y))),
};

type Derivative = (x: Float, y: Float, node: Node) => Float;

function unary(derivative: Derivative): GradientRule {
  return (node, gradient) => [() => mul(gradient, derivative(operand(node, 0), result(node), node))];
}

type Partials = (g: Float, a: Float, b: Float, result: Float) => readonly [() => Float, () => Float];

function binary(partials: Partials): GradientRule {
  return (node, gradient) => {
    const operands = [operand(node, 0), operand(node, 1)] as const;
    const ways = partials(gradient, ...operands, result(node));
    return ways.map((way, i) => () => sumTo(way(), operands[i]!.shape));
  };
}

/** 1 where a > b, ½ where they are equal, else 0: ties share a gradient, as in PyTorch. */
function isGreater(a: Float, b: Float): Float {
  const sign = sub(cast(greater(a, b), 'float32'), cast(greater(b, a), 'float32'));
  return add(scaled(sign, 0.5), a.graph.float(0.5));
}

function scaled(x: Float, factor: number): Float {
  return mul(x, x.graph.float(factor));
}

function oneLess(x: Float): Float {
  return sub(x.graph.float(1), x);
}

/** Φ(x) + x·φ(x), the derivative of x·Φ(x). */
function erfSlope(x: Float): Float {
  const half = x.graph.float(0.5);
  const cumulative = add(scaled(erf(scaled(x, Math.SQRT1_2)), 0.5), half);
  const density = scaled(exp(scaled(mul(x, x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return add(cumulative, mul(x, density));
}

/** The derivative of ½x·(1 + tanh u) with u = √(2/π)·(x + 0.044715·x³) (Hendrycks and Gimpel 2016). */
function tanhSlope(x: Float): Float {
  const { graph } = x;
  const [scale, cube] = [Math.sqrt(2 / Math.PI), 0.044715];
  const square = mul(x, x);
  const inner = tanh(scaled(mul(x, add(scaled(square, cube), graph.float(1))), scale));
  const slope = scaled(add(scaled(square, 3 * cube), graph.float(1)), scale);
  const rise = mul(mul(x, oneLess(mul(inner, inner))), slope);
  return scaled(add(add(inner, graph.float(1)), rise), 0.5);
}
