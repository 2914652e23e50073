import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus';
import { describe, expect, it } from 'vitest';
import { gradients } from '../../src/graph/gradients/index.js';
import { type Float, Graph, GraphError, OPERATORS, type OperatorName } from '../../src/graph/graph.js';
import { serialize } from '../../src/graph/onnx/serialize.js';
import * as op from '../../src/graph/operators/index.js';
import { runGraph } from '../models/run-model.js';
import { Tensor } from '../support/onnxruntime.js';

/** A function of one tensor, for which of its operands the gradient is asked, and the values it is asked at. */
interface Case {
  readonly operator: OperatorName;
  readonly of?: string;
  readonly shape: readonly number[];
  readonly build: (x: Float) => Float;
  /** From standard normal values to those of x, where not all are allowed. */
  readonly from?: (value: number, index: number) => number;
}

const positive = (value: number): number => Math.abs(value) + 0.5;
/** No value lies so near an edge that a small step would cross it. */
const apart = (value: number, index: number): number => index / 3 + 0.3 * Math.tanh(value) - 1.5;
const table = (x: Float, ...shape: number[]): Float => {
  const random = normals(7);
  return x.graph.float(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => random()),
    shape,
  );
};

const CASES: readonly Case[] = [
  {
    operator: 'Identity',
    shape: [3],
    build: (x) => x.graph.node('Identity', [x], [['float32', x.shape]])[0],
  },
  { operator: 'Concat', shape: [2, 3], build: (x) => op.concat([table(x, 2, 1), x, op.mul(x, x)], 1) },
  { operator: 'Expand', shape: [2, 1, 3], build: (x) => op.expand(x, [4, 2, 2, 3]) },
  { operator: 'Gather', shape: [4, 2], build: (x) => op.gather(x, x.graph.int64([3, 1, 3])) },
  {
    operator: 'Gather',
    of: 'a vector',
    shape: [4],
    build: (x) => op.gather(x, op.reshape(x.graph.int64([3, 1, 3, 0]), [2, 2])),
  },
  { operator: 'Pad', shape: [2, 3], build: (x) => op.pad(x, 1, 2, 1) },
  { operator: 'Reshape', shape: [2, 3], build: (x) => op.reshape(x, [3, 1, 2]) },
  { operator: 'Slice', shape: [2, 5], build: (x) => op.slice(x, -1, 1, 4) },
  { operator: 'Transpose', shape: [2, 3, 2], build: (x) => op.transpose(x, [2, 0, 1]) },
  ...[true, false].map(
    (interleaved): Case => ({
      operator: 'RotaryEmbedding',
      of: interleaved ? 'interleaved' : 'in halves, of a part of each head',
      shape: [1, 2, 2, 6],
      build: (x) => {
        const angles = table(x, 1, 2, 2);
        return op.rotaryEmbedding(x, { cos: op.cos(angles), sin: op.sin(angles) }, interleaved);
      },
    }),
  ),
  { operator: 'Add', of: 'a row', shape: [1, 3], build: (x) => op.add(table(x, 2, 3), x) },
  { operator: 'Sub', of: 'what is subtracted', shape: [3], build: (x) => op.sub(table(x, 2, 3), x) },
  { operator: 'Mul', of: 'a square', shape: [2, 3], build: (x) => op.mul(x, x) },
  { operator: 'Mul', of: 'a column', shape: [2, 1], build: (x) => op.mul(x, table(x, 2, 3)) },
  { operator: 'Div', of: 'the numerator', shape: [3], build: (x) => op.div(x, table(x, 2, 3)) },
  {
    operator: 'Div',
    of: 'the denominator',
    shape: [3],
    from: positive,
    build: (x) => op.div(table(x, 2, 3), x),
  },
  {
    operator: 'Pow',
    of: 'the base',
    shape: [4],
    from: positive,
    build: (x) => op.pow(x, x.graph.float(2.5)),
  },
  { operator: 'Pow', of: 'the exponent', shape: [4], build: (x) => op.pow(x.graph.float(2.5), x) },
  { operator: 'Max', shape: [6], from: apart, build: (x) => op.maximum(x, op.mul(x, x.graph.float(0.5))) },
  { operator: 'Min', shape: [6], from: apart, build: (x) => op.minimum(x, x.graph.float(0.3)) },
  {
    operator: 'Where',
    shape: [2, 3],
    build: (x) => op.where(op.greater(table(x, 2, 3), x.graph.float(0)), op.mul(x, x), op.sin(x)),
  },
  { operator: 'Cast', shape: [3], build: (x) => op.cast(op.mul(x, x), 'float32') },
  { operator: 'Clip', shape: [8], from: apart, build: (x) => op.clip(x, 0.9) },
  { operator: 'Cos', shape: [4], build: op.cos },
  { operator: 'Sin', shape: [4], build: op.sin },
  { operator: 'Exp', shape: [4], build: op.exp },
  { operator: 'Erf', shape: [4], build: op.erf },
  {
    operator: 'Gelu',
    of: 'by the error function',
    shape: [9],
    from: apart,
    build: (x) => op.gelu(x, 'none'),
  },
  { operator: 'Gelu', of: 'by tanh', shape: [9], from: apart, build: (x) => op.gelu(x, 'tanh') },
  { operator: 'Log', shape: [4], from: positive, build: op.log },
  { operator: 'Relu', shape: [6], from: apart, build: op.relu },
  { operator: 'Sigmoid', shape: [4], build: op.sigmoid },
  { operator: 'Sqrt', shape: [4], from: positive, build: op.sqrt },
  { operator: 'Tanh', shape: [4], build: op.tanh },
  {
    operator: 'Gemm',
    of: 'x, weights [out, in]',
    shape: [2, 3],
    build: (x) => op.gemm(x, table(x, 4, 3), table(x, 4)),
  },
  { operator: 'Gemm', of: 'weights [out, in]', shape: [4, 3], build: (w) => op.gemm(table(w, 2, 3), w) },
  { operator: 'Gemm', of: 'the bias', shape: [4], build: (b) => op.gemm(table(b, 2, 3), table(b, 4, 3), b) },
  { operator: 'Gemm', of: 'x, weights [in, out]', shape: [2, 3], build: (x) => op.affine(x, table(x, 3, 4)) },
  { operator: 'Gemm', of: 'weights [in, out]', shape: [3, 4], build: (w) => op.affine(table(w, 2, 3), w) },
  { operator: 'MatMul', of: 'the left', shape: [2, 1, 2, 3], build: (x) => op.matMul(x, table(x, 2, 3, 2)) },
  {
    operator: 'MatMul',
    of: 'the right, broadcast',
    shape: [3, 2],
    build: (x) => op.matMul(table(x, 2, 2, 3), x),
  },
  { operator: 'CumSum', shape: [2, 4], build: op.sumAfter },
  {
    operator: 'LayerNormalization',
    shape: [2, 5],
    build: (x) => op.layerNormalization(x, table(x, 5), table(x, 5), 1e-3),
  },
  {
    operator: 'LayerNormalization',
    of: 'the weight',
    shape: [5],
    build: (w) => op.layerNormalization(table(w, 2, 5), w, null, 1e-3),
  },
  {
    operator: 'LayerNormalization',
    of: 'the bias',
    shape: [5],
    build: (b) => op.layerNormalization(table(b, 2, 5), table(b, 5), b, 1e-3),
  },
  { operator: 'RMSNormalization', shape: [2, 5], build: (x) => op.rmsNormalization(x, table(x, 5), 1e-3) },
  {
    operator: 'RMSNormalization',
    of: 'the weight',
    shape: [5],
    build: (w) => op.rmsNormalization(table(w, 2, 5), w, 1e-3),
  },
  { operator: 'ReduceLogSumExp', shape: [2, 4], build: op.logSumExpLast },
  { operator: 'ReduceMax', shape: [2, 4], from: apart, build: (x) => op.maxOver(x, 1) },
  { operator: 'ReduceSum', shape: [2, 3], build: (x) => op.sumOver(op.mul(x, x), [0]) },
  { operator: 'Softmax', shape: [2, 4], build: op.softmax },
  {
    operator: 'GatherElements',
    shape: [1, 2, 3],
    build: (x) => op.gatherLast(x, op.reshape(x.graph.int64([2, 0, 1, 1]), [1, 2, 2])),
  },
  {
    operator: 'ScatterElements',
    of: 'what is put in',
    shape: [1, 2, 2],
    build: (x) => op.scatterLast(op.reshape(x.graph.int64([2, 0, 0, 1]), [1, 2, 2]), x, 3),
  },
  {
    operator: 'ScatterElements',
    of: 'what is put over',
    shape: [2, 3],
    build: (x) => op.scatterInto(x, op.reshape(x.graph.int64([2, 0]), [2, 1]), table(x, 2, 1), 'none'),
  },
  {
    operator: 'ScatterND',
    of: 'rows added',
    shape: [2, 3],
    build: (x) => op.scatterRows(table(x, 4, 3), x.graph.int64([3, 1]), x, 'add'),
  },
  {
    operator: 'ScatterND',
    of: 'the table',
    shape: [4, 3],
    build: (x) => op.scatterRows(x, x.graph.int64([3, 1]), table(x, 2, 3), 'none'),
  },
  { operator: 'TopK', shape: [2, 5], from: apart, build: (x) => op.topK(x, 2).values },
];

/** Operators whose results are no activations. */
const NO_ACTIVATIONS: readonly OperatorName[] = [
  'And',
  'Equal',
  'Greater',
  'Less',
  'LessOrEqual',
  'NonZero',
  'Range',
  'Shape',
];

it('has a case of every operator', () => {
  const tried = new Set([...CASES.map(({ operator }) => operator), ...NO_ACTIVATIONS]);
  expect([...tried].sort()).toEqual(Object.values(OPERATORS).flat().toSorted());
});

const STEP = 1e-2;

describe("each operator's rule equals a central difference quotient", () => {
  it.each(CASES)('$operator, $of', async ({ shape, build, from = (value) => value }) => {
    const random = normals(1);
    const values = Float32Array.from({ length: product(shape) }, (_, i) => from(random(), i));
    const weigh = (y: Float): Float => op.mul(y, weights(y));
    const graph = new Graph('gradient');
    const x = graph.input('x', 'float32', shape);
    const y = build(x);
    graph.output('loss', op.reshape(op.sumOver(weigh(y), [...y.shape.keys()]), []));
    const [gradient] = gradients(new Map([[y, weights(y)]]), [x]);
    graph.output('gradient', gradient!);
    const model = { bytes: serialize(graph), inputs: ['x'], outputs: ['loss', 'gradient'], residentBytes: 0 };
    const run = (at: Float32Array) => runGraph(model, '/', { x: new Tensor('float32', at, shape) });
    const found = await run(values);
    expect(found.gradient!.dims).toEqual(shape);
    for (const [i, slope] of (found.gradient!.data as Float32Array).entries()) {
      const loss = async (step: number) => {
        const outputs = await run(values.map((value, j) => (j === i ? value + step : value)));
        return (outputs.loss!.data as Float32Array)[0]!;
      };
      const quotient = ((await loss(STEP)) - (await loss(-STEP))) / (2 * STEP);
      expect(Math.abs(slope - quotient), `element ${i}: ${slope}, not ${quotient}`).toBeLessThan(
        2e-3 * Math.max(1, Math.abs(quotient)),
      );
    }
  });
});

it('gives ties equal shares of a gradient', async () => {
  const graph = new Graph('ties');
  const x = graph.input('x', 'float32', [4]);
  const [largest, larger] = [op.maxOver(x, 0), op.maximum(x, graph.float(2))];
  const seeds = (y: Float): Map<Float, Float> => new Map([[y, op.expand(graph.float(1), y.shape)]]);
  graph.output('largest', gradients(seeds(largest), [x])[0]!);
  graph.output('larger', gradients(seeds(larger), [x])[0]!);
  const outputs = ['largest', 'larger'];
  const model = { bytes: serialize(graph), inputs: ['x'], outputs, residentBytes: 0 };
  const found = await runGraph(model, '/', { x: new Tensor('float32', Float32Array.of(3, 1, 3, 2), [4]) });
  expect(Array.from(found.largest!.data as Float32Array)).toEqual([0.5, 0, 0.5, 0]);
  expect(Array.from(found.larger!.data as Float32Array)).toEqual([1, 0, 1, 0.5]);
});

it('sums what reaches a value on several ways, and gives none where there is no way', async () => {
  const graph = new Graph('ways');
  const x = graph.input('x', 'float32', [2]);
  const y = op.add(op.mul(x, x), op.mul(op.add(x, x), graph.float(3)));
  const aside = op.sin(x);
  const [ofX, ofAside] = gradients(new Map([[y, graph.float(Float32Array.of(1, 10))]]), [x, aside]);
  expect(ofAside).toBeNull();
  graph.output('gradient', ofX!);
  const model = { bytes: serialize(graph), inputs: ['x'], outputs: ['gradient'], residentBytes: 0 };
  const { gradient } = await runGraph(model, '/', { x: new Tensor('float32', Float32Array.of(2, -1), [2]) });
  expect(Array.from(gradient!.data as Float32Array)).toEqual([10, 40]);
});

it('names an operator that has no gradient', () => {
  const graph = new Graph('none');
  const x = graph.input('x', 'float32', [3, 2]);
  const y = op.scatterRows(x, graph.int64([1]), op.slice(x, 0, 0, 1), 'max');
  expect(() => gradients(new Map([[y, x]]), [x])).toThrow(GraphError);
  expect(() => gradients(new Map([[y, x]]), [x])).toThrow(/ScatterND/);
});

/** Different for each element, so that none can stand for another. */
function weights(y: Float): Float {
  const shape = y.shape.map((dim) => (typeof dim === 'number' ? dim : 2));
  const random = normals(3);
  return y.graph.float(
    Float32Array.from({ length: product(shape) }, () => random()),
    shape,
  );
}

function product(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Standard normal values (Box and Muller 1958). */
function normals(seed: number): () => number {
  const generator = xoroshiro128plus(seed);
  const uniform = (): number => ((generator.next() >>> 0) + 0.5) / 2 ** 32;
  return () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
}
