import { create, toBinary } from '@bufbuild/protobuf';
import type { Attribute, Dtype, Graph, Value } from '../graph.js';
import {
  type AttributeProto,
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  ModelProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from './onnx_pb.js';

/** Operator set our operators are defined in; Swish, the newest of them, came with it. */
const OPSET = 24n;
/** Version of the ONNX file format that belongs to this operator set. */
const IR_VERSION = 12n;

const DATA_TYPES: Record<Dtype, TensorProto_DataType> = {
  float32: TensorProto_DataType.FLOAT,
  float16: TensorProto_DataType.FLOAT16,
  bfloat16: TensorProto_DataType.BFLOAT16,
  float64: TensorProto_DataType.DOUBLE,
  float8e4m3fn: TensorProto_DataType.FLOAT8E4M3FN,
  uint8: TensorProto_DataType.UINT8,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
  bool: TensorProto_DataType.BOOL,
};

/** The graph as an ONNX file: constants inside, weights referred to. The same graph gives the same bytes. */
export function serialize(graph: Graph): Uint8Array {
  const outside = new Map<Value, string>();
  for (const [name, value] of graph.outputs) outside.set(value, name);
  const nameOf = (value: Value): string => outside.get(value) ?? value.name;

  const model = create(ModelProtoSchema, {
    irVersion: IR_VERSION,
    producerName: 'babelscope',
    opsetImport: [{ domain: '', version: OPSET }],
    graph: {
      name: graph.name,
      input: graph.inputs.map((value) => valueInfo(value.name, value)),
      output: [...graph.outputs].map(([name, value]) => valueInfo(name, value)),
      initializer: [
        ...graph.constants.map(({ value, elements }) => ({
          name: value.name,
          dataType: DATA_TYPES[value.dtype],
          dims: value.shape.map(BigInt),
          rawData: new Uint8Array(elements.buffer, elements.byteOffset, elements.byteLength),
        })),
        ...graph.weights.map(({ value, tensor }) => ({
          name: value.name,
          dataType: DATA_TYPES[value.dtype],
          dims: tensor.shape.map(BigInt),
          dataLocation: TensorProto_DataLocation.EXTERNAL,
          externalData: [
            { key: 'location', value: tensor.location },
            { key: 'offset', value: String(tensor.offset) },
            { key: 'length', value: String(tensor.byteLength) },
          ],
        })),
      ],
      node: graph.nodes.map((node) => ({
        name: node.outputs[0]!.name,
        opType: node.operator,
        input: node.inputs.map(nameOf),
        output: node.outputs.map(nameOf),
        attribute: Object.entries(node.attributes).map(([name, attribute]) =>
          attributeProto(name, attribute),
        ),
      })),
    },
  });
  return toBinary(ModelProtoSchema, model);
}

function valueInfo(name: string, value: Value): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType: DATA_TYPES[value.dtype],
          shape: {
            dim: value.shape.map((dim) => ({
              value:
                typeof dim === 'number'
                  ? { case: 'dimValue' as const, value: BigInt(dim) }
                  : { case: 'dimParam' as const, value: dim },
            })),
          },
        },
      },
    },
  });
}

/** An attribute of a node; its numbers are integers unless they are said to be floats. */
export function attributeProto(name: string, attribute: Attribute): AttributeProto {
  const { STRING, INT, FLOAT, INTS } = AttributeProto_AttributeType;
  if (typeof attribute === 'string') {
    return create(AttributeProtoSchema, { name, type: STRING, s: new TextEncoder().encode(attribute) });
  }
  if (typeof attribute === 'number') {
    return create(AttributeProtoSchema, { name, type: INT, i: BigInt(attribute) });
  }
  if ('float' in attribute) {
    return create(AttributeProtoSchema, { name, type: FLOAT, f: attribute.float });
  }
  return create(AttributeProtoSchema, { name, type: INTS, ints: attribute.map(BigInt) });
}
