import { create } from '@bufbuild/protobuf';
import { type GraphProto, GraphProtoSchema, type NodeProto, NodeProtoSchema } from '../../graph/index.js';

/** Input of merged decoders that chooses between going on from a cache and starting anew. */
const USE_CACHE = 'use_cache_branch';

/**
 * The graph of a merged decoder as it runs without a cache: each `If` on `use_cache_branch` is replaced by what stands
 * in its else-branch. Other graphs are returned as they are.
 */
export function inlineUncachedBranch(graph: GraphProto): GraphProto {
  const node: NodeProto[] = [];
  const initializer = [...graph.initializer];
  for (const each of graph.node) {
    const branch = each.attribute.find(({ name }) => name === 'else_branch')?.g;
    if (each.opType !== 'If' || branch === undefined || !chosenByCache(graph, each)) {
      node.push(each);
      continue;
    }
    initializer.push(...branch.initializer);
    node.push(...branch.node);
    for (const [i, { name }] of branch.output.entries()) {
      const output = each.output[i];
      if (output === undefined || output === '' || output === name) continue;
      node.push(create(NodeProtoSchema, { opType: 'Identity', input: [name], output: [output] }));
    }
  }
  return create(GraphProtoSchema, { ...graph, node, initializer });
}

/** Whether the condition is the input itself, through operators that only reshape or convert it. */
function chosenByCache(graph: GraphProto, { input }: NodeProto): boolean {
  let name = input[0] ?? '';
  while (name !== USE_CACHE) {
    const maker = graph.node.find(({ output }) => output.includes(name));
    if (maker === undefined || !['Cast', 'Identity', 'Squeeze', 'Reshape'].includes(maker.opType))
      return false;
    name = maker.input[0] ?? '';
  }
  return true;
}
