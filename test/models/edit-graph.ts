import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type GraphProto,
  ModelProtoSchema,
  type NodeProto,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  ValueInfoProtoSchema,
} from '../../src/graph/onnx/onnx_pb.js';
import type { LayeredModel, ModelGraph } from '../../src/models/types.js';

/** Changes one graph of a model and says whether it found what to change. */
export type Edit = (graph: GraphProto) => boolean;

/** The model with all its graphs edited. @throws Error where no graph has what the edit is of. */
export function editedModel(model: LayeredModel, edit: Edit): LayeredModel {
  let found = false;
  const edited = (graph: ModelGraph): ModelGraph => {
    const proto = fromBinary(ModelProtoSchema, graph.bytes);
    if (!edit(proto.graph!)) return graph;
    found = true;
    return { ...graph, bytes: toBinary(ModelProtoSchema, proto) };
  };
  const [embed, unembed] = [edited(model.embed()), edited(model.unembed())];
  const layers = Array.from({ length: model.shape.layers }, (_, layer) => edited(model.layer(layer, [])));
  if (!found) throw new Error('no graph has what was to be edited');
  return { ...model, embed: () => embed, layer: (layer) => layers[layer]!, unembed: () => unembed };
}

/** The first operator of a kind behind every weight of that name does nothing: its output is its first input. */
export function without(operator: string, weight: RegExp): Edit {
  return (graph) => changeFirst(graph, operator, weight, leaveOut);
}

/** The first operator of a kind behind every weight of that name is another. */
export function instead(operator: string, other: string, weight: RegExp): Edit {
  return (graph) =>
    changeFirst(graph, operator, weight, (node) => {
      node.opType = other;
    });
}

/** Every weight of that name consists of one number. */
export function filled(weight: RegExp, value: number): Edit {
  return ({ initializer }) => {
    const found = initializer.filter(({ name }) => weight.test(name));
    for (const tensor of found) {
      const size = tensor.dims.reduce((product, dim) => product * Number(dim), 1);
      const rawData = new Uint8Array(new Float32Array(size).fill(value).buffer);
      const { name, dims } = tensor;
      const filling = create(TensorProtoSchema, {
        name,
        dims,
        dataType: TensorProto_DataType.FLOAT,
        dataLocation: TensorProto_DataLocation.DEFAULT,
        rawData,
      });
      initializer.splice(initializer.indexOf(tensor), 1, filling);
    }
    return found.length > 0;
  };
}

/** The graph with one more output for each weight of that name: what the first operator of a kind behind it makes. */
export function promoted(
  graph: ModelGraph,
  operator: string,
  weight: RegExp,
): { graph: ModelGraph; outputs: readonly string[] } {
  const proto = fromBinary(ModelProtoSchema, graph.bytes);
  const { initializer, output } = proto.graph!;
  const names = initializer.filter(({ name }) => weight.test(name)).map(({ name }) => name);
  const outputs = names.map((name) => firstBehind(proto.graph!, name, operator)!.output[0]!);
  output.push(...outputs.map((name) => create(ValueInfoProtoSchema, { name })));
  return { graph: { ...graph, bytes: toBinary(ModelProtoSchema, proto) }, outputs };
}

/** Constants of one number are another. */
export function constant(from: number, to: number): Edit {
  return ({ initializer }) => {
    const found = initializer.filter(
      ({ dataType, rawData }) =>
        dataType === TensorProto_DataType.FLOAT &&
        rawData.length === 4 &&
        Buffer.from(rawData).readFloatLE() === Math.fround(from),
    );
    for (const tensor of found) tensor.rawData = new Uint8Array(Float32Array.of(to).buffer);
    return found.length > 0;
  };
}

export function leaveOut(node: NodeProto): void {
  Object.assign(node, { opType: 'Identity', input: node.input.slice(0, 1), attribute: [] });
}

function changeFirst(
  graph: GraphProto,
  operator: string,
  weight: RegExp,
  change: (node: NodeProto) => void,
): boolean {
  const found = graph.initializer
    .filter(({ name }) => weight.test(name))
    .map(({ name }) => firstBehind(graph, name, operator));
  for (const node of new Set(found)) if (node !== undefined) change(node);
  return found.some((node) => node !== undefined);
}

/** The first node of a kind that reads what was made of a tensor; nodes stand in the order in which they run. */
function firstBehind({ node: nodes }: GraphProto, tensor: string, operator: string): NodeProto | undefined {
  const made = new Set([tensor]);
  for (const node of nodes) {
    if (!node.input.some((name) => made.has(name))) continue;
    if (node.opType === operator) return node;
    for (const name of node.output) made.add(name);
  }
  return undefined;
}

/** Operators that move elements or change their type: without them shapes do not fit. */
const MOVING = new Set([
  'Cast',
  'Concat',
  'Expand',
  'Identity',
  'Range',
  'Reshape',
  'Shape',
  'Slice',
  'Transpose',
]);

/** Those that compute something, up to the experts: to some of these no token of a fixture is sent. */
export function operatorsOf(graph: GraphProto): [index: number, node: NodeProto][] {
  const experts = graph.node.findIndex(({ opType }) => opType === 'NonZero');
  return computing(graph, 1e-12).filter(([index]) => experts === -1 || index < experts);
}

/** Of norms: what they add to a variance of about 1 changes a gradient by less than the deviation allowed. */
const LARGEST_EPSILON = 2e-3;

/**
 * Those of a backward graph that follow so many of the forward pass and the gradients of experts. Left out is what adds up the
 * gradients of experts, some of which get no token, and of a router's softmax the term that is 0 where weights are divided by
 * their sum.
 */
export function backwardOperatorsOf(graph: GraphProto, forward: number): [index: number, node: NodeProto][] {
  const experts = graph.node.findLastIndex(({ opType }) => opType === 'ScatterND');
  const producers = new Map(graph.node.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const isFrom = (name: string, operator: string): boolean => {
    const producer = producers.get(name);
    if (producer?.opType === 'Reshape') return isFrom(producer.input[0]!, operator);
    return producer?.opType === operator;
  };
  const ofExperts = ({ opType, input }: NodeProto): boolean =>
    (opType === 'Add' && input.some((name) => isFrom(name, 'ScatterND'))) ||
    (opType === 'Sub' && isFrom(input[0]!, 'ScatterElements'));
  return computing(graph, LARGEST_EPSILON).filter(
    ([index, node]) => index >= forward && index > experts && !ofExperts(node),
  );
}

/** Operators but those that add next to nothing, or multiply by ones. */
function computing(
  { node: nodes, initializer }: GraphProto,
  negligible: number,
): [index: number, node: NodeProto][] {
  const constants = new Map(
    initializer.map(({ name, rawData }) => [name, new Float32Array(new Uint8Array(rawData).buffer)]),
  );
  const allOf = (name: string | undefined, holds: (value: number) => boolean): boolean => {
    const values = constants.get(name ?? '');
    return values !== undefined && values.length > 0 && values.every(holds);
  };
  const computesNothing = ({ opType, input: [, second] }: NodeProto): boolean =>
    MOVING.has(opType) ||
    (opType === 'Mul' && allOf(second, (value) => value === 1)) ||
    (opType === 'Add' && allOf(second, (value) => Math.abs(value) < negligible));
  return [...nodes.entries()].filter(([, node]) => !computesNothing(node));
}
