import type { NodeProto } from '../../graph/index.js';
import { opsetOf } from './assemble.js';
import { attribute, type ForeignGraph, integer } from './foreign-graph.js';

/** Change no value of a row of weights but NaN, which a row without any key has. */
const PASSES: ReadonlySet<string> = new Set(['Cast', 'Identity', 'Dropout', 'Where']);

/** [batch, heads, query, key]: what says that a core is of this shape is how heads are moved behind queries after it. */
const HEADS_LAST = [0, 2, 1, 3];

/** Opset in which the axis of a Softmax became the last by default. */
const SOFTMAX_OF_LAST_AXIS = 13;

/**
 * The attention weights after softmax, [batch, heads, query, key], that a core multiplies the values with.
 *
 * @param core the product that ends an attention
 * @returns null where no softmax over keys stands before it, or the tensor is of another shape
 */
export function findAttentionWeights(graph: ForeignGraph, core: NodeProto): string | null {
  if (core.opType !== 'MatMul' || !isByHead(graph, core)) return null;
  const [weights = ''] = core.input;
  let node = graph.producer(weights);
  while (node !== undefined && PASSES.has(node.opType)) {
    // The condition of a Where is no value.
    const values = (node.opType === 'Where' ? node.input.slice(1) : node.input).filter((name) =>
      graph.isActivation(name),
    );
    node = values.length === 1 ? graph.producer(values[0]!) : undefined;
  }
  if (node?.opType !== 'Softmax') return null;
  const axis = integer(node, 'axis') ?? (opsetOf(graph) < SOFTMAX_OF_LAST_AXIS ? 1 : -1);
  return axis === -1 || axis === HEADS_LAST.length - 1 ? weights : null;
}

function isByHead(graph: ForeignGraph, core: NodeProto): boolean {
  const readers = graph.consumers(core.output[0]!);
  return readers.some(
    (node) =>
      node.opType === 'Transpose' && attribute(node, 'perm')?.ints.map(Number).join() === HEADS_LAST.join(),
  );
}
