import { clone } from '@bufbuild/protobuf';
import { attributeProto, type NodeProto, NodeProtoSchema, TensorProto_DataType } from '../../graph/index.js';
import { type Additions, OWN } from './additions.js';
import { attribute, type ForeignGraph, integer } from './foreign-graph.js';

/** A matrix product of activations with a weight, however the exporter wrote it. */
export interface Projection {
  readonly node: NodeProto;
  /** The tensor that it reads, in floating point: where it reads quantised activations, the one that these were made of. */
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

/**
 * The weight of a projection as a float32 tensor [in, out], computed in the graph from what is stored; the runtime folds it
 * to a constant when it loads the graph.
 *
 * @returns the tensor's name; null if the exporter stored the weight in a way this version does not undo
 */
export function projectionWeight(graph: ForeignGraph, projection: Projection, add: Additions): string | null {
  const { node } = projection;
  const weight = node.input[1] ?? '';
  const float = TensorProto_DataType.FLOAT;
  switch (node.opType) {
    case 'MatMul':
      return add.node('Cast', [weight], { to: float });
    case 'Gemm':
    case 'FusedGemm': {
      if ((attribute(node, 'alpha')?.f ?? 1) !== 1) return null;
      const matrix = add.node('Cast', [weight], { to: float });
      return integer(node, 'transB') === 1 ? add.node('Transpose', [matrix], { perm: [1, 0] }) : matrix;
    }
    case 'MatMulNBits':
    case 'MatMulBnb4':
      return ofUnitVectors(projection, add);
    case 'MatMulInteger':
      return dequantised(weight, node.input[3], integerScale(graph, projection), add);
    case 'DynamicQuantizeMatMul':
      return dequantised(weight, node.input[3], node.input[2], add);
    case 'MatMulIntegerToFloat':
      return dequantised(weight, node.input[5], node.input[3], add);
    default:
      return null;
  }
}

/** The product of the identity matrix with the weight, by the very operator that unpacks it, in full precision. */
function ofUnitVectors({ node, inSize }: Projection, add: Additions): string {
  const float = TensorProto_DataType.FLOAT;
  const identity = add.node('EyeLike', [add.filled(add.int64([inSize, inSize]), 0, float)], { dtype: float });
  const product = clone(NodeProtoSchema, node);
  product.name = `${OWN}weight of ${node.output[0]}`;
  product.input = [identity, ...node.input.slice(1, 5)]; // without the bias
  product.output = [product.name];
  if (node.opType === 'MatMulNBits') {
    const FULL_PRECISION = 1;
    product.attribute = [
      ...product.attribute.filter(({ name }) => name !== 'accuracy_level'),
      attributeProto('accuracy_level', FULL_PRECISION),
    ];
  }
  add.nodes.push(product);
  return product.name;
}

/** (W − zero point) · scale, both of the whole matrix or of a column. */
function dequantised(
  weight: string,
  zeroPoint: string | undefined,
  scale: string | null | undefined,
  add: Additions,
): string | null {
  if (scale === null || scale === undefined || scale === '') return null;
  const float = TensorProto_DataType.FLOAT;
  let matrix = add.node('Cast', [weight], { to: float });
  if (zeroPoint !== undefined && zeroPoint !== '') {
    matrix = add.node('Sub', [matrix, add.node('Cast', [zeroPoint], { to: float })]);
  }
  return add.node('Mul', [matrix, scale]);
}

/** The weight's scale of an integer product, which its result is multiplied by together with that of the activations. */
function integerScale(graph: ForeignGraph, { node }: Projection): string | null {
  for (const converted of graph.consumers(node.output[0]!)) {
    for (const product of graph.consumers(converted.output[0]!)) {
      if (product.opType !== 'Mul') continue;
      const other = product.input.find((name) => name !== converted.output[0])!;
      const scales = graph.producer(other)?.opType === 'Mul' ? graph.producer(other)!.input : [other];
      const found = scales.find((name) => graph.weightShape(name) !== null);
      if (found !== undefined) return found;
    }
  }
  return null;
}
