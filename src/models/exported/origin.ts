import type { NodeProto } from '../../graph/index.js';
import type { ForeignGraph } from './foreign-graph.js';
import {
  ACTIVATIONS,
  BENDING,
  ELEMENTWISE,
  FUSED_ATTENTION,
  LOOKUPS,
  NORMALISING,
  PRODUCTS,
} from './operators.js';
import type { Projection } from './projections.js';

/** The tensors that a tensor is computed from, back to the nearest projections, attention cores, norms and embeddings. */
export interface Origin {
  readonly projections: ReadonlySet<Projection>;
  readonly attention: ReadonlySet<NodeProto>;
  readonly norms: boolean;
  readonly embedding: boolean;
  /** Nodes on the way whose operators this version does not look through. */
  readonly opaque: ReadonlySet<NodeProto>;
  /** Nodes on the way that bend, one element at a time. */
  readonly bends: readonly NodeProto[];
}

/** Looks back from a tensor through operators that act on each element or move elements. */
export function originOf(
  graph: ForeignGraph,
  projections: ReadonlyMap<NodeProto, Projection>,
  tensor: string,
): Origin {
  const found = {
    projections: new Set<Projection>(),
    attention: new Set<NodeProto>(),
    norms: false,
    embedding: false,
    opaque: new Set<NodeProto>(),
  };
  const seen = new Set<NodeProto>();
  const active: NodeProto[] = [];
  const bending: NodeProto[] = [];
  const open = [tensor];
  while (open.length > 0) {
    const name = open.pop()!;
    if (!graph.isActivation(name)) continue;
    const node = graph.producer(name);
    if (node === undefined) {
      found.embedding = true;
      continue;
    }
    if (seen.has(node)) continue;
    seen.add(node);
    const operands = node.input.filter((input) => graph.isActivation(input));
    const projection = projections.get(node);
    if (projection !== undefined) found.projections.add(projection);
    else if (isAttention(node, operands)) found.attention.add(node);
    else if (NORMALISING.has(node.opType)) found.norms = true;
    else if (LOOKUPS.has(node.opType) && !graph.isActivation(node.input[0]!)) found.embedding = true;
    else if (node.opType === 'DynamicQuantizeLinear')
      continue; // the scale of what a projection reads
    else if (ACTIVATIONS.has(node.opType) || BENDING.has(node.opType) || ELEMENTWISE.has(node.opType)) {
      if (ACTIVATIONS.has(node.opType)) active.push(node);
      if (BENDING.has(node.opType)) bending.push(node);
      open.push(...operands);
    } else found.opaque.add(node);
  }
  return { ...found, bends: active.length > 0 ? active : bending };
}

function isAttention({ opType }: NodeProto, activations: readonly string[]): boolean {
  return FUSED_ATTENTION.has(opType) || (PRODUCTS.has(opType) && activations.length >= 2);
}
