import type { NodeProto } from '../../graph/index.js';
import type { ForeignGraph } from './foreign-graph.js';
import { SKIP_NORMALISING } from './operators.js';

/** Where a half of a layer joins the residual stream. */
export interface Join {
  readonly before: string;
  readonly after: string;
}

/** Output of a skip-normalising node that holds the sum before it is normalised. */
const SUM_OUTPUT = 3;

/**
 * The addition by which the output of a projection joins the residual stream: the first sum of something computed from it
 * and something not. A fused sum that the graph did not give a name gets one.
 *
 * @returns null if there is none
 */
export function findJoin(graph: ForeignGraph, projection: NodeProto): Join | null {
  const derived = new Set([projection.output[0]!]);
  for (const node of graph.nodes) {
    const operands = node.input.slice(0, 2).filter((name) => graph.isActivation(name));
    const own = operands.filter((name) => derived.has(name));
    if (own.length === 0) continue;
    const other = operands.find((name) => !derived.has(name));
    if (other !== undefined && node.opType === 'Add') return { before: other, after: node.output[0]! };
    if (other !== undefined && SKIP_NORMALISING.has(node.opType)) {
      while (node.output.length <= SUM_OUTPUT) node.output.push('');
      if (node.output[SUM_OUTPUT] === '') node.output[SUM_OUTPUT] = `babelscope/sum of ${node.output[0]}`;
      return { before: other, after: node.output[SUM_OUTPUT]! };
    }
    for (const output of node.output) derived.add(output);
  }
  return null;
}
