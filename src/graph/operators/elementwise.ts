import type { Dtype, Float, OperatorName, Value } from '../graph.js';
import { broadcast, mismatch } from '../shapes.js';

type Bool = Value<'bool'>;

/** `x` converted to another element type; bfloat16 and float16 weights become float32 exactly, float64 ones are rounded. */
export function cast<D extends Dtype>(x: Value, to: D): Value<D> {
  if (x.dtype === (to as Dtype)) return x as Value<D>;
  return x.graph.node('Cast', [x], [[to, x.shape]], { to: CAST_CODES[to] })[0];
}

/** Values of TensorProto.DataType, which the attribute `to` of Cast holds as a plain integer. */
const CAST_CODES: Record<Dtype, number> = {
  float32: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
  float8e4m3fn: 17,
};

export const add = (a: Float, b: Float): Float => binary('Add', a, b, 'float32');

/** Sum of positions. */
export const addPositions = (a: Value<'int64'>, b: Value<'int64'>): Value<'int64'> =>
  binary('Add', a, b, 'int64');
export const mul = (a: Float, b: Float): Float => binary('Mul', a, b, 'float32');

/** a to the power of b. */
export const pow = (a: Float, b: Float): Float => binary('Pow', a, b, 'float32');

/** The larger of two values, element by element. */
export const maximum = (a: Float, b: Float): Float => binary('Max', a, b, 'float32');

/** The smaller of two values, element by element. */
export const minimum = (a: Float, b: Float): Float => binary('Min', a, b, 'float32');

/** a / b. */
export const div = (a: Float, b: Float): Float => binary('Div', a, b, 'float32');

/** How often b goes into a, neither of them negative. */
export const floorDivide = (a: Value<'int64'>, b: Value<'int64'>): Value<'int64'> =>
  binary('Div', a, b, 'int64');

/** a − b; of positions (int64) or of activations. */
export const sub = <D extends 'float32' | 'int64'>(a: Value<D>, b: Value<D>): Value<D> =>
  binary('Sub', a, b, a.dtype);

export const greater = (a: Float, b: Float): Bool => binary('Greater', a, b, 'bool');

export const less = (a: Value<'int64'>, b: Value<'int64'>): Bool => binary('Less', a, b, 'bool');

export const lessOrEqual = (a: Value<'int64'>, b: Value<'int64'>): Bool =>
  binary('LessOrEqual', a, b, 'bool');

export const equal = (a: Value<'int64'>, b: Value<'int64'>): Bool => binary('Equal', a, b, 'bool');

export const and = (a: Bool, b: Bool): Bool => binary('And', a, b, 'bool');

/** `a` where the condition holds, `b` elsewhere. */
export function where(condition: Bool, a: Float, b: Float): Float {
  const shape = broadcast('Where', condition, a, b);
  return condition.graph.node('Where', [condition, a, b], [['float32', shape]])[0];
}

export const sqrt = (x: Float): Float => unary('Sqrt', x);

export const exp = (x: Float): Float => unary('Exp', x);

/** The error function, 2/√π ∫₀ˣ e^(−t²) dt. */
export const erf = (x: Float): Float => unary('Erf', x);

/** Natural logarithm. */
export const log = (x: Float): Float => unary('Log', x);

export const cos = (x: Float): Float => unary('Cos', x);

export const sin = (x: Float): Float => unary('Sin', x);

export const tanh = (x: Float): Float => unary('Tanh', x);

export const relu = (x: Float): Float => unary('Relu', x);

export const sigmoid = (x: Float): Float => unary('Sigmoid', x);

/** Each element limited to [−limit, limit]. */
export function clip(x: Float, limit: number): Float {
  const bounds = [x.graph.float(-limit), x.graph.float(limit)];
  return x.graph.node('Clip', [x, ...bounds], [['float32', x.shape]])[0];
}

/** x·Φ(x), exactly by the error function or by Hendrycks and Gimpel's tanh approximation (2016). */
export const gelu = (x: Float, approximate: 'none' | 'tanh'): Float => unary('Gelu', x, { approximate });

function unary(operator: OperatorName, x: Float, attributes: Readonly<Record<string, string>> = {}): Float {
  return x.graph.node(operator, [x], [['float32', x.shape]], attributes)[0];
}

function binary<D extends Dtype>(operator: OperatorName, a: Value, b: Value, result: D): Value<D> {
  if (a.dtype !== b.dtype) throw mismatch(operator, 'operands differ in type', [a, b]);
  return a.graph.node(operator, [a, b], [[result, broadcast(operator, a, b)]])[0];
}
