import type { NodeProto } from '../../graph/index.js';
import type { ForeignGraph } from './foreign-graph.js';
import { ACTIVATIONS } from './operators.js';
import type { Origin } from './origin.js';

/** A tensor, to which the operator that reads it may add a bias. */
export interface PreActivation {
  readonly tensor: string;
  readonly bias: string | null;
}

/**
 * The tensor that an MLP's activation function is applied to, in a gated MLP the gate's. It is the last tensor that everything
 * bent comes from: all ways from the projections to the function's result pass it, and nothing has been bent before it.
 *
 * @param post what the last projection reads
 * @returns null where no single tensor is that: the function was fused into a projection
 */
export function findPreActivation(graph: ForeignGraph, post: string, origin: Origin): PreActivation | null {
  const { bends } = origin;
  if (bends.length === 0) return null;
  const ends = new Set([...origin.projections].map(({ node }) => node));
  // A projection to gate and up together is taken apart before the gate is bent.
  for (const name of ancestors(graph, post, ends)) {
    const node = graph.producer(name);
    if (node !== undefined && TAKES_APART.has(node.opType)) ends.add(node);
  }
  const reach = (from: string, without?: string): Set<string> => ancestors(graph, from, ends, without);
  const beforeBends = new Set(bends.flatMap((node) => node.input.flatMap((name) => [...reach(name)])));
  const bent = (name: string): boolean =>
    [...reach(name)].some((each) => bends.includes(graph.producer(each)!));

  const apart = (name: string): boolean => ![...reach(name)].some((each) => beforeBends.has(each));
  const activated = descend(graph, post, bent, apart);
  const candidates = [...reach(activated)].filter((name) => beforeBends.has(name) && !bent(name));
  const sources = [...reach(activated)].filter((name) => ends.has(graph.producer(name)!));
  const dominating = candidates.filter((name) => {
    const around = reach(activated, name);
    return sources.every((source) => source === name || !around.has(source));
  });
  // Each dominator is computed from those before it: the last has the most ancestors.
  const last = dominating.sort((a, b) => reach(b).size - reach(a).size)[0];
  if (last === undefined) return null;
  const reader = bends.find(({ opType, input }) => ACTIVATIONS.has(opType) && input[0] === last);
  const bias = reader?.input[1];
  return { tensor: last, bias: bias === undefined || bias === '' ? null : bias };
}

const TAKES_APART: ReadonlySet<string> = new Set(['Split', 'Slice']);

/** Through act(gate)·up to act(gate): the factor that is bent, where the other has nothing in common with it. */
function descend(
  graph: ForeignGraph,
  tensor: string,
  bent: (name: string) => boolean,
  apart: (name: string) => boolean,
): string {
  let name = tensor;
  for (;;) {
    const node = graph.producer(name)!;
    const operands = node.input.filter((input) => graph.isActivation(input));
    if (ACTIVATIONS.has(node.opType)) return name;
    const [first, second] = operands;
    if (operands.length === 1 && bent(first!)) {
      name = first!;
      continue;
    }
    if (node.opType !== 'Mul' || second === undefined) return name;
    const inner = [first!, second].filter((operand) => bent(operand));
    const other = [first!, second].find((operand) => !bent(operand));
    if (inner.length !== 1 || other === undefined || !apart(other)) return name;
    name = inner[0]!;
  }
}

/** The tensor and the activations it is computed from, back to where `ends` put out theirs, ways through `without` left out. */
function ancestors(
  graph: ForeignGraph,
  from: string,
  ends: ReadonlySet<NodeProto>,
  without?: string,
): Set<string> {
  const found = new Set<string>();
  const open = [from];
  while (open.length > 0) {
    const name = open.pop()!;
    if (name === without || found.has(name) || !graph.isActivation(name)) continue;
    const node = graph.producer(name);
    if (node?.opType === 'DynamicQuantizeLinear') continue; // the scale of what gate and up both read
    found.add(name);
    if (node !== undefined && !ends.has(node)) open.push(...node.input);
  }
  return found;
}
