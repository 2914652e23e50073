import { clone, create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
} from '../../graph/index.js';
import { type Additions, OWN } from './additions.js';
import { attribute, type ForeignGraph, integer } from './foreign-graph.js';
import type { Projection } from './projections.js';

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
  const FULL_PRECISION = 1n;
  product.attribute = [
    ...product.attribute.filter(({ name }) => name !== 'accuracy_level'),
    create(AttributeProtoSchema, {
      name: 'accuracy_level',
      type: AttributeProto_AttributeType.INT,
      i: FULL_PRECISION,
    }),
  ].filter(({ name }) => name !== 'accuracy_level' || node.opType === 'MatMulNBits');
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
