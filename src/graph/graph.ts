import type { PackedDtype, PackedTensor, WeightDtype, WeightTensor } from '../checkpoint/index.js';
import { BabelscopeError } from '../errors.js';

/** Element types that occur in our graphs, by their ONNX names in lower case. */
export type Dtype =
  | 'float32'
  | 'float16'
  | 'bfloat16'
  | 'float64'
  | 'float8e4m3fn'
  | 'uint8'
  | 'int32'
  | 'int64'
  | 'bool';

/** A known size, or a symbol for one known only at run time; `batch*seq` is the product of two symbols. */
export type Dim = number | string;

export type Shape = readonly Dim[];

/** A tensor in a graph: an input, a constant, a weight or what a node computes. */
export class Value<D extends Dtype = Dtype> {
  readonly graph: Graph;
  readonly name: string;
  readonly dtype: D;
  readonly shape: Shape;

  constructor(graph: Graph, name: string, dtype: D, shape: Shape) {
    this.graph = graph;
    this.name = name;
    this.dtype = dtype;
    this.shape = shape;
  }

  get rank(): number {
    return this.shape.length;
  }

  /** `MatMul_3 float32 [batch, seq, 64]`, for error messages. */
  describe(): string {
    return `${this.name} ${this.dtype} ${formatShape(this.shape)}`;
  }
}

/** Activations and weights are float32 while they are computed with. */
export type Float = Value<'float32'>;

/** An operator was given values that it cannot take: a fault in the code that builds the graph, never in the input. */
export class GraphError extends BabelscopeError {}

export function formatShape(shape: Shape): string {
  return `[${shape.join(', ')}]`;
}

/** A value that a node's attribute may hold; integers and floats differ in ONNX, so floats are wrapped. */
export type Attribute = number | string | readonly number[] | { readonly float: number };

/** ONNX operators that our graphs are made of, by the file in `operators/` whose functions add them. */
export const OPERATORS = {
  graph: ['Identity', 'Shape'],
  arrange: ['Concat', 'Expand', 'Gather', 'Pad', 'Range', 'Reshape', 'Slice', 'Transpose'],
  attention: ['RotaryEmbedding'],
  elementwise: [
    ...[
      'Add',
      'And',
      'Cast',
      'Clip',
      'Cos',
      'Div',
      'Equal',
      'Erf',
      'Exp',
      'Gelu',
      'Greater',
      'Less',
      'LessOrEqual',
    ],
    ...['Log', 'Max', 'Min', 'Mul', 'Pow', 'Relu', 'Sigmoid', 'Sin', 'Sqrt', 'Sub', 'Tanh', 'Where'],
  ],
  linear: ['Gemm', 'MatMul'],
  reduce: [
    'CumSum',
    'LayerNormalization',
    'RMSNormalization',
    'ReduceLogSumExp',
    'ReduceMax',
    'ReduceSum',
    'Softmax',
  ],
  route: ['GatherElements', 'NonZero', 'ScatterElements', 'ScatterND', 'TopK'],
} as const;

/** A table keyed by it lacks no operator, or does not compile. */
export type OperatorName = (typeof OPERATORS)[keyof typeof OPERATORS][number];

/** One operator application, kept as values so that a rule for its gradient can be looked up by `operator`. */
export interface Node {
  readonly operator: OperatorName;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  readonly attributes: Readonly<Record<string, Attribute>>;
}

export interface Constant {
  readonly value: Value;
  readonly elements: Float32Array | BigInt64Array;
}

export interface Weight {
  readonly value: Value;
  readonly tensor: WeightTensor | PackedTensor;
}

const WEIGHT_DTYPES = {
  F64: 'float64',
  F32: 'float32',
  F16: 'float16',
  BF16: 'bfloat16',
  F8_E4M3: 'float8e4m3fn',
  U8: 'uint8',
} as const satisfies Record<WeightDtype | PackedDtype, Dtype>;

/** Element types in which weights lie on disk. */
type StorageDtype = (typeof WEIGHT_DTYPES)[keyof typeof WEIGHT_DTYPES];

/** An ONNX graph under construction. Operators add nodes to the graph their operands belong to. */
export class Graph {
  readonly name: string;
  readonly inputs: Value[] = [];
  readonly constants: Constant[] = [];
  readonly weights: Weight[] = [];
  readonly nodes: Node[] = [];
  /** Graph outputs: the name seen from outside → the value. */
  readonly outputs = new Map<string, Value>();

  readonly #counts = new Map<string, number>();
  readonly #constants = new Map<string, Value>();
  readonly #weights = new Map<string, Value>();
  readonly #defined = new Map<string, Value<'int64'>>();

  constructor(name: string) {
    this.name = name;
  }

  input<D extends Dtype>(name: string, dtype: D, shape: Shape): Value<D> {
    const value = new Value(this, name, dtype, shape);
    this.inputs.push(value);
    return value;
  }

  /** A float32 constant written into the graph; a number gives a scalar. Equal constants are shared. */
  float(elements: number | Float32Array, shape?: readonly number[]): Value<'float32'> {
    const array = typeof elements === 'number' ? Float32Array.of(elements) : elements;
    return this.#constant('float32', array, shape ?? (typeof elements === 'number' ? [] : [array.length]));
  }

  /** An int64 constant written into the graph; a number gives a scalar. */
  int64(elements: number | readonly number[]): Value<'int64'> {
    const list = typeof elements === 'number' ? [elements] : elements;
    const shape = typeof elements === 'number' ? [] : [list.length];
    return this.#constant('int64', BigInt64Array.from(list, BigInt), shape);
  }

  /** A weight in its storage type, left where it lies on disk; asking twice gives the same value. */
  weight(tensor: WeightTensor | PackedTensor): Value<StorageDtype> {
    const known = this.#weights.get(tensor.name);
    if (known !== undefined) return known as Value<StorageDtype>;
    const value = new Value(this, tensor.name, WEIGHT_DTYPES[tensor.dtype], tensor.shape);
    this.#weights.set(tensor.name, value);
    this.weights.push({ value, tensor });
    return value;
  }

  /** Adds a node and returns its outputs, one for each `[dtype, shape]`. */
  node<const O extends readonly (readonly [Dtype, Shape])[]>(
    operator: OperatorName,
    inputs: readonly Value[],
    outputs: O,
    attributes: Readonly<Record<string, Attribute>> = {},
  ): { [I in keyof O]: Value<O[I][0]> } {
    for (const input of inputs) {
      if (input.graph !== this) {
        throw new GraphError({
          what: `${input.name} belongs to graph ${input.graph.name}, not ${this.name}`,
          where: operator,
        });
      }
    }
    const count = this.#counts.get(operator) ?? 0;
    this.#counts.set(operator, count + 1);
    const values = outputs.map(([dtype, shape], index) => {
      const name = `${operator}_${count}${index === 0 ? '' : `_${index}`}`;
      return new Value(this, name, dtype, shape);
    });
    this.nodes.push({ operator, inputs, outputs: values, attributes });
    return values as { [I in keyof O]: Value<O[I][0]> };
  }

  /** Makes `value` an output under `name`. Each output costs memory at run time, fetched or not. */
  output(name: string, value: Value): void {
    if (this.outputs.has(name)) throw new GraphError({ what: `two outputs named ${name}`, where: this.name });
    // An output bears the name of the value it is, so a value that has another name outside needs a copy.
    const computed = this.nodes.some(({ outputs }) => outputs.includes(value));
    const taken = !computed || [...this.outputs.values()].includes(value);
    this.outputs.set(name, taken ? this.node('Identity', [value], [[value.dtype, value.shape]])[0] : value);
  }

  /** Lets a symbol stand for a computed size, int64 [1]. */
  define(symbol: string, size: Value<'int64'>): void {
    this.#defined.set(symbol, size);
  }

  /** The int64 vector [1] holding what a symbol stands for at run time: defined, or read off an input or a node that has it. */
  symbol(symbol: string): Value<'int64'> {
    const defined = this.#defined.get(symbol);
    if (defined !== undefined) return defined;
    const having = [...this.inputs, ...this.nodes.flatMap(({ outputs }) => outputs)];
    const value = having.find(({ shape }) => shape.includes(symbol));
    if (value === undefined) {
      throw new GraphError({ what: `nothing has the dimension ${symbol}`, where: this.name });
    }
    const axis = value.shape.indexOf(symbol);
    const known = this.nodes.find(
      ({ operator, inputs, attributes }) =>
        operator === 'Shape' && inputs[0] === value && attributes.start === axis,
    );
    if (known !== undefined) return known.outputs[0] as Value<'int64'>;
    return this.node('Shape', [value], [['int64', [1]]], { start: axis, end: axis + 1 })[0];
  }

  #constant<D extends 'float32' | 'int64'>(
    dtype: D,
    elements: Float32Array | BigInt64Array,
    shape: readonly number[],
  ): Value<D> {
    if (shape.reduce((product, dim) => product * dim, 1) !== elements.length) {
      throw new GraphError({ what: `${elements.length} elements do not fill [${shape}]`, where: 'constant' });
    }
    const key = `${dtype} ${shape} ${Buffer.from(elements.buffer, elements.byteOffset, elements.byteLength).toString('base64')}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known as Value<D>;
    const value = new Value(this, `constant_${this.constants.length}`, dtype, shape);
    this.#constants.set(key, value);
    this.constants.push({ value, elements });
    return value;
  }
}
