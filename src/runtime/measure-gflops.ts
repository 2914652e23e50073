import * as ort from 'onnxruntime-node';
import { Graph, gemm, serialize } from '../graph/index.js';
import { physicalCores } from './threads.js';

export interface GemmShape {
  readonly inSize: number;
  readonly outSize: number;
}

/** Rows of the product: enough for full speed. */
const ROWS = 512;
/** Larger weights run no faster; these take 34 MB. */
const MOST_IN = 2048;
const MOST_OUT = 4096;
const ROUNDS = 4;

/**
 * Speed of fp32 matrix products as a layer computes them, in 10⁹ floating-point operations a second: the best of some
 * rounds, since other work on the machine only ever slows one down. Takes about a fifth of a second, during which the
 * event loop is blocked.
 */
export async function measureGflops(shape: GemmShape, threads = physicalCores()): Promise<number> {
  const [inSize, outSize] = [Math.min(shape.inSize, MOST_IN), Math.min(shape.outSize, MOST_OUT)];
  const graph = new Graph('gemm rate');
  const x = graph.input('x', 'float32', ['rows', inSize]);
  const weight = graph.float(new Float32Array(outSize * inSize).fill(0.5), [outSize, inSize]);
  graph.output('y', gemm(x, weight));
  const session = await ort.InferenceSession.create(serialize(graph), { intraOpNumThreads: threads });
  try {
    const feeds = { x: new ort.Tensor('float32', new Float32Array(ROWS * inSize).fill(0.5), [ROWS, inSize]) };
    let best = Number.POSITIVE_INFINITY;
    // The first round warms up.
    for (let round = 0; round <= ROUNDS; round++) {
      const start = performance.now();
      await session.run(feeds);
      if (round > 0) best = Math.min(best, performance.now() - start);
    }
    return (2 * ROWS * inSize * outSize) / (best * 1e6);
  } finally {
    await session.release();
  }
}
