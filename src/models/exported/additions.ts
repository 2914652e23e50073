import { create } from '@bufbuild/protobuf';
import {
  attributeProto,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataType,
  TensorProtoSchema,
} from '../../graph/index.js';

/** Prefix of every tensor that is added to a foreign graph. */
export const OWN = 'babelscope/';

/** Nodes and constants to be added to a foreign graph. Their operators exist since opset 11. */
export class Additions {
  readonly nodes: NodeProto[] = [];
  readonly initializers: TensorProto[] = [];
  #count = 0;

  /** Adds a node with one output and returns its name, `output` if given. */
  node(
    opType: string,
    input: readonly string[],
    integers: Readonly<Record<string, number | readonly number[]>> = {},
    output = `${OWN}${opType}_${this.#count++}`,
  ): string {
    const attribute = Object.entries(integers).map(([name, value]) => attributeProto(name, value));
    this.nodes.push(
      create(NodeProtoSchema, { opType, name: output, input: [...input], output: [output], attribute }),
    );
    return output;
  }

  /** An int64 constant; a number gives a scalar. */
  int64(values: number | readonly number[]): string {
    const list = typeof values === 'number' ? [values] : values;
    const name = `${OWN}constant_${this.#count++}`;
    this.initializers.push(
      create(TensorProtoSchema, {
        name,
        dataType: TensorProto_DataType.INT64,
        dims: typeof values === 'number' ? [] : [BigInt(list.length)],
        int64Data: list.map(BigInt),
      }),
    );
    return name;
  }

  /** A tensor of `shape` (an int64 vector) filled with 0 or 1, of an element type as ONNX numbers them. */
  filled(shape: string, value: 0 | 1, dataType: number, output?: string): string {
    const ones = this.node('Expand', [this.int64([value]), shape]);
    return this.node('Cast', [ones], { to: dataType }, output);
  }

  /** The sizes of some axes of a tensor, int64 [axes]. */
  sizes(tensor: string, axes: readonly number[]): string {
    return this.node('Gather', [this.node('Shape', [tensor]), this.int64(axes)], { axis: 0 });
  }
}
