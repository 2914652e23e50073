import type { NodeProto } from '../../graph/index.js';
import { attribute, type ForeignGraph, integer } from './foreign-graph.js';

/** A matrix product of activations with a weight, however the exporter wrote it. */
export interface Projection {
  readonly node: NodeProto;
  /** What it reads, in floating point: where it reads quantised activations, what these were made of. */
  readonly input: string;
  readonly inSize: number;
  readonly outSize: number;
  /** An activation function was fused into it. */
  readonly activated: boolean;
}

/** The graph's projections, by the node that computes them. */
export function findProjections(graph: ForeignGraph): ReadonlyMap<NodeProto, Projection> {
  const found = new Map<NodeProto, Projection>();
  for (const node of graph.nodes) {
    const projection = readProjection(graph, node);
    if (projection !== null) found.set(node, projection);
  }
  return found;
}

function readProjection(graph: ForeignGraph, node: NodeProto): Projection | null {
  const [reads = ''] = node.input;
  if (!graph.isActivation(reads)) return null;
  const place = WEIGHT_INPUT[node.opType];
  if (place === undefined) return null;
  const weight = node.input[place] ?? '';
  if (graph.isActivation(weight)) return null;
  const sizes = sizesOf(graph, node, weight);
  if (sizes === null) return null;
  const [inSize, outSize] = sizes;
  const fused = attribute(node, 'activation')?.s ?? new Uint8Array();
  return { node, input: unquantised(graph, reads), inSize, outSize, activated: fused.length > 0 };
}

/** Operators that multiply with a weight, and which of their inputs it is. */
const WEIGHT_INPUT: Readonly<Partial<Record<string, number>>> = {
  MatMul: 1,
  Gemm: 1,
  FusedMatMul: 1,
  FusedGemm: 1,
  MatMulNBits: 1,
  MatMulBnb4: 1,
  MatMulInteger: 1,
  MatMulIntegerToFloat: 1,
  DynamicQuantizeMatMul: 1,
  QLinearMatMul: 3,
};

/** [in, out] of a weight; null if it is no plain matrix. */
function sizesOf(graph: ForeignGraph, node: NodeProto, weight: string): readonly [number, number] | null {
  const [inSize, outSize] = [integer(node, 'K'), integer(node, 'N')];
  if (inSize !== undefined && outSize !== undefined) return [inSize, outSize];
  const shape = graph.weightShape(weight);
  if (shape?.length !== 2) return null;
  const [rows, columns] = shape as [number, number];
  return integer(node, 'transB') === 1 ? [columns, rows] : [rows, columns];
}

function unquantised(graph: ForeignGraph, name: string): string {
  const maker = graph.producer(name);
  const quantises = maker?.opType === 'DynamicQuantizeLinear' || maker?.opType === 'QuantizeLinear';
  return quantises ? maker.input[0]! : name;
}

/** Operators that scale activations by the range of a whole batch, so that a prompt's numbers depend on its neighbours. */
export function quantisesByBatch(graph: ForeignGraph): boolean {
  return graph.nodes.some(
    ({ opType }) => opType === 'DynamicQuantizeLinear' || opType === 'DynamicQuantizeMatMul',
  );
}
