import { describe, expect, it } from 'vitest';
import { Graph, GraphError, type Shape, type Value } from '../../src/graph/graph.js';
import { serialize } from '../../src/graph/onnx/serialize.js';
import * as op from '../../src/graph/operators/index.js';
import { runGraph } from '../models/run-model.js';
import { Tensor } from '../support/onnxruntime.js';

type Float = Value<'float32'>;

/** What a graph of one input makes of it, as [shape, values]. */
async function evaluate(
  build: (x: Float) => Value,
  x: { values: number[]; shape: number[]; symbols?: Shape },
): Promise<[shape: readonly number[], values: number[]]> {
  const graph = new Graph('test');
  const input = graph.input('x', 'float32', x.symbols ?? x.shape);
  graph.output('y', build(input));
  const model = { bytes: serialize(graph), inputs: ['x'], outputs: ['y'], residentBytes: 0 };
  const { y } = await runGraph(model, '/', {
    x: new Tensor('float32', Float32Array.from(x.values), x.shape),
  });
  return [y!.dims, Array.from(y!.data as Float32Array | BigInt64Array | Uint8Array, Number)];
}

const vector = (...values: number[]) => ({ values, shape: [values.length] });
const constant = (x: Float, ...values: number[]) => x.graph.float(Float32Array.from(values));

describe('each operator computes what its name says', () => {
  it.each<[name: string, build: (x: Float) => Value, expected: number[]]>([
    ['add', (x) => op.add(x, constant(x, 10, 20, 30)), [9, 20, 32]],
    ['sub', (x) => op.sub(x, constant(x, 1, 1, 1)), [-2, -1, 1]],
    ['mul by a scalar', (x) => op.mul(x, x.graph.float(3)), [-3, 0, 6]],
    ['maximum', (x) => op.maximum(x, x.graph.float(0)), [0, 0, 2]],
    ['greater', (x) => op.greater(x, x.graph.float(0)), [0, 0, 1]],
    ['where', (x) => op.where(op.greater(x, x.graph.float(0)), x, x.graph.float(7)), [7, 7, 2]],
    ['equal', (x) => op.equal(op.cast(x, 'int64'), x.graph.int64(2)), [0, 0, 1]],
    ['cast to int64', (x) => op.cast(x, 'int64'), [-1, 0, 2]],
    ['relu', op.relu, [0, 0, 2]],
    ['sqrt', (x) => op.sqrt(op.mul(x, x)), [1, 0, 2]],
    ['cos', op.cos, [Math.cos(1), 1, Math.cos(2)]],
    ['sin', op.sin, [-Math.sin(1), 0, Math.sin(2)]],
    ['tanh', op.tanh, [Math.tanh(-1), 0, Math.tanh(2)]],
    ['pow', (x) => op.pow(x.graph.float(2), x), [0.5, 1, 4]],
    ['clip', (x) => op.clip(x, 0.5), [-0.5, 0, 0.5]],
    ['sigmoid', op.sigmoid, [1 / (1 + Math.E), 0.5, 1 / (1 + Math.exp(-2))]],
    // x·Φ(x), Φ from tables of the normal distribution.
    ['gelu', (x) => op.gelu(x, 'none'), [-0.158655, 0, 1.9545]],
    ['gelu by tanh', (x) => op.gelu(x, 'tanh'), [-0.158808, 0, 1.954598]],
    ['softmax', op.softmax, [-1, 0, 2].map((v) => Math.exp(v) / (Math.exp(-1) + 1 + Math.exp(2)))],
    [
      'rmsNormalization',
      (x) => op.rmsNormalization(x, constant(x, 1, 1, 3), 1e-6),
      [-1, 0, 6].map((v) => v / Math.sqrt(5 / 3)),
    ],
    [
      'layerNormalization',
      (x) => op.layerNormalization(x, constant(x, 1, 1, 3), constant(x, 10, 20, 30), 1e-6),
      [-4 / 3, -1 / 3, 5].map((v, i) => v / Math.sqrt(14 / 9) + 10 * (i + 1)),
    ],
    [
      'layerNormalization without bias',
      (x) => op.layerNormalization(x, constant(x, 1, 1, 3), null, 1e-6),
      [-4 / 3, -1 / 3, 5].map((v) => v / Math.sqrt(14 / 9)),
    ],
  ])('%s', async (_, build, expected) => {
    const [, values] = await evaluate(build, vector(-1, 0, 2));
    for (const [i, value] of expected.entries()) expect(values[i]).toBeCloseTo(value, 5);
  });

  it.each<[name: string, build: (x: Float) => Value, expected: number[]]>([
    ['minimum', (x) => op.minimum(x, x.graph.float(0)), [-1, 0, 0]],
    ['div', (x) => op.div(x, constant(x, 2, 4, 8)), [-0.5, 0, 0.25]],
    ['logSumExpLast', op.logSumExpLast, [Math.log(Math.exp(-1) + 1 + Math.exp(2))]],
    ['topK: the largest values, falling', (x) => op.topK(x, 2).values, [2, 0]],
    ['topK: where they stood', (x) => op.topK(x, 2).indices, [2, 1]],
    ['gatherLast', (x) => op.gatherLast(x, x.graph.int64([2, 0])), [2, -1]],
    [
      'scatterLast: zeros but where told',
      (x) => op.scatterLast(x.graph.int64([1]), x.graph.float(7), 3),
      [0, 7, 0],
    ],
    ['nonZero', (x) => op.nonZero(x, 'count'), [0, 2]],
    ['nonZero of nothing', (x) => op.nonZero(op.mul(x, x.graph.float(0)), 'count'), []],
    ['concat', (x) => op.concat([x, x.graph.float(Float32Array.of(5))], 0), [-1, 0, 2, 5]],
    ['floorDivide', (x) => op.floorDivide(x.graph.int64([6, 7]), x.graph.int64(4)), [1, 1]],
    ['equal', (x) => op.equal(x.graph.int64([6, 7]), x.graph.int64(7)), [0, 1]],
  ])('%s', async (_, build, expected) => {
    const [, values] = await evaluate(build, vector(-1, 0, 2));
    expect(values.length).toBe(expected.length);
    for (const [i, value] of expected.entries()) expect(values[i]).toBeCloseTo(value, 5);
  });

  it('scatterRows puts rows back where they came from, or adds them; none leave the table as it is', async () => {
    const x = { values: [1, 0, 2, 3, 4, 5], shape: [3, 2], symbols: ['n', 2] };
    const rowsOf = (x: Float, kept: number) =>
      op.nonZero(op.mul(op.sumLast(x), x.graph.float(kept)), 'count');
    const scattered = (reduction: 'none' | 'add', kept: number) => (x: Float) => {
      const rows = rowsOf(x, kept);
      return op.scatterRows(x, rows, op.mul(op.gather(x, rows), x.graph.float(10)), reduction);
    };
    expect((await evaluate(scattered('add', 1), x))[1]).toEqual([11, 0, 22, 33, 44, 55]);
    expect((await evaluate(scattered('none', 1), x))[1]).toEqual([10, 0, 20, 30, 40, 50]);
    expect((await evaluate(scattered('add', 0), x))[1]).toEqual(x.values);
  });

  it('gemm is x·Wᵀ + b', async () => {
    const build = (x: Float) =>
      op.gemm(x, x.graph.float(Float32Array.of(1, 2, 3, 4, 5, 6), [3, 2]), constant(x, 0, 0, 1));
    expect(await evaluate(build, { values: [1, 10], shape: [1, 2] })).toEqual([
      [1, 3],
      [21, 43, 66],
    ]);
  });

  it('affine is x·W + b', async () => {
    const build = (x: Float) =>
      op.affine(x, x.graph.float(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3]), constant(x, 0, 0, 1));
    expect(await evaluate(build, { values: [1, 10], shape: [1, 2] })).toEqual([
      [1, 3],
      [41, 52, 64],
    ]);
  });

  it('concat puts values one after the other along an axis', async () => {
    const x = { values: [1, 2, 3, 4], shape: [2, 2], symbols: ['seq', 2] };
    expect(await evaluate((x) => op.concat([x, op.mul(x, x)], 1), x)).toEqual([
      [2, 4],
      [1, 2, 1, 4, 3, 4, 9, 16],
    ]);
  });

  it('matMul multiplies the last two axes and broadcasts the others', async () => {
    const build = (x: Float) => op.matMul(x, x.graph.float(Float32Array.of(1, 10), [2, 1]));
    const x = { values: [1, 2, 3, 4], shape: [2, 1, 2], symbols: ['batch', 1, 2] };
    expect(await evaluate(build, x)).toEqual([
      [2, 1, 1],
      [21, 43],
    ]);
  });

  it('gather, range and expand work on sizes known only at run time', async () => {
    const x = { values: [5, 6, 7, 8, 9, 10], shape: [3, 2], symbols: ['seq', 2] };
    expect(await evaluate((x) => op.range(x.graph, 'seq'), x)).toEqual([[3], [0, 1, 2]]);
    expect(await evaluate((x) => op.gather(x, x.graph.int64([2, 0])), x)).toEqual([
      [2, 2],
      [9, 10, 5, 6],
    ]);
    const repeated = (x: Float) => op.expand(x.graph.float(4), ['seq', 2]);
    expect(await evaluate(repeated, x)).toEqual([
      [3, 2],
      [4, 4, 4, 4, 4, 4],
    ]);
  });

  it('comparisons of positions', async () => {
    const x = { values: [0, 0, 0], shape: [3], symbols: ['seq'] };
    const window = (x: Float) => {
      const keys = op.range(x.graph, 'seq');
      const queries = op.reshape(keys, ['seq', 1]);
      const near = op.less(op.sub(queries, keys), x.graph.int64(2));
      return op.and(op.lessOrEqual(keys, queries), near);
    };
    expect(await evaluate(window, x)).toEqual([
      [3, 3],
      [1, 0, 0, 1, 1, 0, 0, 1, 1],
    ]);
  });

  it('sumLast, transpose and reshape', async () => {
    const x = { values: [1, 2, 3, 4, 5, 6], shape: [2, 3] };
    expect(await evaluate(op.sumLast, x)).toEqual([[2], [6, 15]]);
    expect(await evaluate((x) => op.transpose(x, [1, 0]), x)).toEqual([
      [3, 2],
      [1, 4, 2, 5, 3, 6],
    ]);
    expect(await evaluate((x) => op.reshape(x, [6]), x)).toEqual([[6], [1, 2, 3, 4, 5, 6]]);
  });

  it('reshape joins and splits sizes known only at run time', async () => {
    const x = {
      values: Array.from({ length: 24 }, (_, i) => i),
      shape: [2, 3, 4],
      symbols: ['batch', 'seq', 4],
    };
    const shapes: [Shape, number[]][] = [
      [
        ['batch*seq', 4],
        [6, 4],
      ],
      [
        ['batch', 'seq', 2, 2],
        [2, 3, 2, 2],
      ],
      [
        ['batch', 1, 'seq', 4],
        [2, 1, 3, 4],
      ],
      [
        [4, 'seq', 'batch'],
        [4, 3, 2],
      ],
    ];
    for (const [shape, expected] of shapes) {
      const [found] = await evaluate((x) => op.reshape(x, shape), x);
      expect(found).toEqual(expected);
      const back = (x: Float) => op.reshape(op.reshape(x, shape), ['batch', 'seq', 4]);
      expect(await evaluate(back, x)).toEqual([[2, 3, 4], x.values]);
    }
  });

  it('slice takes a stretch of an axis', async () => {
    const x = { values: [1, 2, 3, 4, 5, 6], shape: [2, 3], symbols: ['seq', 3] };
    expect(await evaluate((x) => op.slice(x, -1, 1, 3), x)).toEqual([
      [2, 2],
      [2, 3, 5, 6],
    ]);
  });

  it.each<[what: string, pairs: [number, number][], interleaved: boolean]>([
    [
      'the first half of a head against the second',
      [
        [0, 2],
        [1, 3],
      ],
      false,
    ],
    [
      'neighbours, interleaved',
      [
        [0, 1],
        [2, 3],
      ],
      true,
    ],
    ['the first elements only, where the tables are narrower than a head', [[0, 1]], false],
  ])('rotaryEmbedding turns %s', async (_, pairs, interleaved) => {
    const angleOf = [1, 0.5].slice(0, pairs.length);
    const build = (x: Float) => {
      const angles = op.mul(
        op.reshape(op.cast(op.range(x.graph, 'seq'), 'float32'), ['seq', 1]),
        constant(x, ...angleOf),
      );
      const table = (values: Float) => op.expand(values, [1, 'seq', angleOf.length]);
      return op.rotaryEmbedding(x, { cos: table(op.cos(angles)), sin: table(op.sin(angles)) }, interleaved);
    };
    const heads = [1, 2, 3, 4, 5, 6, 7, 8];
    const x = { values: [...heads, ...heads], shape: [1, 2, 2, 4], symbols: [1, 'seq', 2, 4] };
    const [shape, values] = await evaluate(build, x);
    expect(shape).toEqual(x.shape);
    const expected = [...x.values];
    for (const from of [8, 12]) {
      for (const [i, [a, b]] of pairs.entries()) {
        const [c, s] = [Math.cos(angleOf[i]!), Math.sin(angleOf[i]!)];
        expected[from + a] = x.values[from + a]! * c - x.values[from + b]! * s;
        expected[from + b] = x.values[from + b]! * c + x.values[from + a]! * s;
      }
    }
    for (const [i, value] of expected.entries()) expect(values[i]).toBeCloseTo(value, 5);
  });
});

describe('a graph that cannot work is refused while it is built', () => {
  const graph = new Graph('refused');
  const x = graph.input('x', 'float32', ['batch', 'seq', 4]);
  const wide = graph.input('wide', 'float32', [5, 6]);
  const ids = graph.input('ids', 'int64', ['batch', 'seq']);

  it.each<[what: string, build: () => unknown]>([
    ['shapes that do not broadcast', () => op.add(x, wide)],
    ['symbols that differ', () => op.add(x, op.transpose(x, [1, 0, 2]))],
    ['operands of different types', () => op.add(x, ids as unknown as Float)],
    ['inner dimensions that differ', () => op.matMul(wide, wide)],
    ['a product of the wrong layout', () => op.gemm(wide, op.transpose(wide, [1, 0]))],
    ['a bias that does not fit', () => op.gemm(wide, wide, graph.float(Float32Array.of(1, 2)))],
    ['more of the largest than there are', () => op.topK(wide, 7)],
    [
      'rows that do not fit the table',
      () => op.scatterRows(wide, graph.int64([0]), graph.float(Float32Array.of(1), [1, 1]), 'add'),
    ],
    ['parts of different widths', () => op.concat([wide, op.transpose(wide, [1, 0])], 0)],
    ['a reshape that loses elements', () => op.reshape(x, ['batch', 'seq', 3])],
    ['a reshape that loses a symbol', () => op.reshape(x, ['batch', 4])],
    ['an order that repeats an axis', () => op.transpose(x, [0, 0, 1])],
    ['a stretch beyond the end', () => op.slice(wide, 1, 3, 7)],
    ['a norm weight that does not fit', () => op.rmsNormalization(x, graph.float(Float32Array.of(1)), 1e-6)],
    ['values of another graph', () => op.add(x, new Graph('other').float(1))],
    ['a symbol no input has', () => op.range(graph, 'experts')],
    ['a constant of another size', () => graph.float(Float32Array.of(1, 2), [3])],
    ['two outputs of one name', () => [graph.output('y', wide), graph.output('y', wide)]],
  ])('%s', (_, build) => {
    expect(build).toThrow(GraphError);
  });
});

describe('serialize', () => {
  it('lets an input and one value under two names be outputs', async () => {
    const graph = new Graph('outputs');
    const x = graph.input('x', 'float32', [1]);
    const y = op.add(x, x);
    graph.output('input', x);
    graph.output('once', y);
    graph.output('twice', y);
    graph.output('used', op.add(y, x));
    const model = { bytes: serialize(graph), inputs: ['x'], outputs: [], residentBytes: 0 };
    const outputs = await runGraph(model, '/', { x: new Tensor('float32', Float32Array.of(4), [1]) });
    expect(Object.entries(outputs).map(([name, { data }]) => [name, Number(data[0])])).toEqual([
      ['input', 4],
      ['once', 8],
      ['twice', 8],
      ['used', 12],
    ]);
  });
});
