import { create, toBinary } from '@bufbuild/protobuf';
import {
  type GraphProto,
  ModelProtoSchema,
  type NodeProto,
  type TensorProto,
  TensorProto_DataType,
  type ValueInfoProto,
} from '../../graph/index.js';
import type { Additions } from './additions.js';
import { elementsOf } from './check-onnx.js';
import { feedInputs } from './feeds.js';
import { type ForeignGraph, readsOf } from './foreign-graph.js';
import { translate } from './translate.js';

/** Changes to be made to a foreign graph: other inputs and outputs, and nodes that compute these. */
export interface Surgery {
  readonly inputs: readonly ValueInfoProto[];
  /** Name among `inputs` of the token ids, int64 [batch, seq]. */
  readonly ids: string;
  readonly additions: Additions;
  /** Nodes written for a newer opset, to be added last. */
  readonly readouts: Pick<GraphProto, 'node' | 'initializer' | 'output'>;
}

/** The graph with other inputs and outputs, without what these do not need; weights stay where they are. */
export function assemble(
  graph: ForeignGraph,
  { inputs, ids, additions, readouts }: Surgery,
): { readonly bytes: Uint8Array; readonly residentBytes: number } {
  const opset = opsetOf(graph);
  const added = readouts.node.map((node) => translate(node, opset, readouts.initializer));
  const constants = added.flatMap(({ initializers }) => initializers);
  const after = [...additions.nodes, ...added.flatMap(({ nodes }) => nodes)];
  const needed = new Set(readouts.output.map(({ name }) => name));
  const keep = (nodes: readonly NodeProto[]): NodeProto[] =>
    nodes
      .toReversed()
      .filter((node) => {
        if (!node.output.some((name) => needed.has(name))) return false;
        for (const name of readsOf(node)) needed.add(name);
        return true;
      })
      .toReversed();
  const keptAfter = keep(after);
  const kept = keep(graph.nodes);
  // Feeds are added once it is known what is needed, and stand before everything that reads them.
  const position = additions.nodes.length;
  feedInputs(graph, needed, ids, additions);
  const feeds = additions.nodes.slice(position);
  for (const node of feeds) for (const name of readsOf(node)) needed.add(name);
  const stored = [...graph.initializers.values()].filter(({ name }) => needed.has(name));
  const own = [...additions.initializers, ...readouts.initializer, ...constants].filter(({ name }) =>
    needed.has(name),
  );
  const { model } = graph.file;
  const bytes = toBinary(
    ModelProtoSchema,
    create(ModelProtoSchema, {
      irVersion: model.irVersion,
      producerName: 'babelscope',
      opsetImport: model.opsetImport,
      functions: model.functions,
      graph: {
        name: graph.file.graph.name || 'foreign',
        input: [...inputs],
        output: readouts.output,
        initializer: [...stored, ...own],
        node: [...feeds, ...kept, ...keptAfter],
      },
    }),
  );
  return { bytes, residentBytes: stored.reduce((sum, tensor) => sum + residentSize(tensor), 0) };
}

/** Float weights run as float32; others as they are stored. */
function residentSize(tensor: TensorProto): number {
  const wide: number[] = [
    TensorProto_DataType.FLOAT,
    TensorProto_DataType.FLOAT16,
    TensorProto_DataType.BFLOAT16,
  ];
  return elementsOf(tensor) * (wide.includes(tensor.dataType) ? Float32Array.BYTES_PER_ELEMENT : 1);
}

/** Version of the standard operators the graph is written in. */
export function opsetOf(graph: ForeignGraph): number {
  const standard = graph.file.model.opsetImport.find(({ domain }) => domain === '' || domain === 'ai.onnx');
  return Number(standard?.version ?? 0);
}
