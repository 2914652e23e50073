import { Graph, gemm, serialize } from '../graph/index.js';
import { physicalCores } from './machine.js';
import { onnxruntime } from './onnxruntime.js';

/** Dot products of vectors in float32, by onnxruntime's matrix product. */
export interface DotProducts {
  /** Length of the vectors. */
  readonly dimension: number;
  /** a [rows, dimension], b [columns, dimension] → [rows, columns]: a_i · b_j. Blocks the event loop meanwhile. */
  of(a: Float32Array, b: Float32Array): Promise<Float32Array>;
  release(): Promise<void>;
}

/** @param threads Default: physical cores. Results may differ between numbers of threads in their last bits. */
export async function openDotProducts(dimension: number, threads = physicalCores()): Promise<DotProducts> {
  const graph = new Graph('dot products');
  const a = graph.input('a', 'float32', ['rows', dimension]);
  const b = graph.input('b', 'float32', ['columns', dimension]);
  graph.output('products', gemm(a, b));
  const ort = await onnxruntime();
  const session = await ort.InferenceSession.create(serialize(graph), {
    intraOpNumThreads: threads,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const tensor = (values: Float32Array) =>
    new ort.Tensor('float32', values, [values.length / dimension, dimension]);
  return {
    dimension,
    of: async (rows, columns) => {
      const { products } = await session.run({ a: tensor(rows), b: tensor(columns) });
      return products!.data as Float32Array;
    },
    release: () => session.release(),
  };
}
