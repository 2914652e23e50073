import { create } from '@bufbuild/protobuf';
import {
  attributeProto,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
} from '../../graph/index.js';
import { attribute } from './foreign-graph.js';

export interface Translated {
  readonly nodes: readonly NodeProto[];
  readonly initializers: readonly TensorProto[];
}

/** The operator sets in which what our reducers write was not yet written that way. */
const SINCE = { shapeOfSomeAxes: 15, lessOrEqual: 12, ReduceSum: 13, ReduceMax: 18 } as const;

/**
 * A node of our own operators as an older operator set, from 11 on, writes it. Operators of reducers that have changed since are
 * Shape, LessOrEqual, ReduceSum and ReduceMax.
 *
 * @param constants among them the axes of reductions
 */
export function translate(node: NodeProto, opset: number, constants: readonly TensorProto[]): Translated {
  const { opType, input, output } = node;
  const start = attribute(node, 'start');
  if (opType === 'Shape' && start !== undefined && opset < SINCE.shapeOfSomeAxes) {
    const [whole, axis] = [`${output[0]}/whole`, `${output[0]}/axis`];
    const index = { name: axis, dataType: TensorProto_DataType.INT64, dims: [1n], int64Data: [start.i] };
    return {
      initializers: [create(TensorProtoSchema, index)],
      nodes: [
        create(NodeProtoSchema, { opType, input, output: [whole] }),
        create(NodeProtoSchema, { opType: 'Gather', input: [whole, axis], output }),
      ],
    };
  }
  if (opType === 'LessOrEqual' && opset < SINCE.lessOrEqual) {
    const greater = `${output[0]}/greater`;
    return {
      initializers: [],
      nodes: [
        create(NodeProtoSchema, { opType: 'Greater', input, output: [greater] }),
        create(NodeProtoSchema, { opType: 'Not', input: [greater], output }),
      ],
    };
  }
  if ((opType === 'ReduceSum' || opType === 'ReduceMax') && opset < SINCE[opType]) {
    const { rawData } = constants.find(({ name }) => name === input[1])!;
    const axes = attributeProto('axes', [...new BigInt64Array(rawData.slice().buffer)].map(Number));
    const older = { opType, input: input.slice(0, 1), output, attribute: [...node.attribute, axes] };
    return { initializers: [], nodes: [create(NodeProtoSchema, older)] };
  }
  return { nodes: [node], initializers: [] };
}
