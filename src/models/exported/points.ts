import { CheckpointError } from '../../errors.js';
import type { NodeProto } from '../../graph/index.js';
import { opsetOf } from './assemble.js';
import { attribute, type ForeignGraph, integer } from './foreign-graph.js';
import { FUSED_ATTENTION, SKIP_NORMALISING } from './operators.js';
import { originOf } from './origin.js';
import { findPreActivation, type PreActivation } from './pre-activation.js';
import { findProjections, type Projection } from './projections.js';

/** Where a layer of a foreign graph can be tapped. */
export interface LayerPoints {
  /** The projection back to the residual stream that ends each half of the layer. */
  readonly attention: Projection;
  /** null: no layer's was found. */
  readonly mlp: Projection | null;
  /** The node that computes attention; null where it is spread over several. */
  readonly fusedAttention: NodeProto | null;
  /** Attention weights after softmax, [batch, heads, query, key]; null: hidden by fusion, or not found. */
  readonly weights: string | null;
  /** null: hidden by fusion. */
  readonly pre: PreActivation | null;
  /** null: the halves do not join the stream one after the other, or not by a plain sum. */
  readonly residual: { readonly pre: string; readonly mid: string; readonly post: string } | null;
}

/**
 * Finds the layers of a transformer in a graph by what its projections read: the output projection of an attention reads
 * what an attention core put out, the last projection of an MLP what an activation function did. Where experts or MLPs are
 * fused into operators of their own, none of the latter is found.
 *
 * @throws CheckpointError if there are no attentions, or MLPs in some layers alone, with what is there
 */
export function findLayers(graph: ForeignGraph): readonly LayerPoints[] {
  const projections = findProjections(graph);
  const attentions: Projection[] = [];
  const mlps: Projection[] = [];
  const origins = new Map(
    [...projections.values()].map((each) => [each, originOf(graph, projections, each.input)] as const),
  );
  for (const [projection, origin] of origins) {
    const { attention, norms, embedding, opaque, bends, projections: sources } = origin;
    if (norms || opaque.size > 0) continue;
    if (attention.size > 0) attentions.push(projection);
    else if (!embedding && sources.size > 0 && (bends.length > 0 || [...sources].some((s) => s.activated)))
      mlps.push(projection);
  }
  const attentionOuts = widest(attentions);
  const dModel = attentionOuts[0]?.outSize;
  // A classifier's head may have a hidden layer, but does not lead back to the stream.
  const mlpOuts = widest(mlps).filter(({ outSize }) => outSize === dModel);
  const ordered = [byDepth(graph, attentionOuts), byDepth(graph, mlpOuts)] as const;
  const inAllOrNone = mlpOuts.length === attentionOuts.length || mlpOuts.length === 0;
  if (ordered[0] === null || ordered[1] === null || !inAllOrNone || !dModel)
    throw noLayers(graph, attentionOuts, mlpOuts);
  const [attentionOf, mlpOf] = ordered;
  const layers = attentionOf.map((attention, layer) => {
    const mlp = mlpOf[layer] ?? null;
    const core = [...origins.get(attention)!.attention];
    return {
      attention,
      mlp,
      fusedAttention: core.find(({ opType }) => FUSED_ATTENTION.has(opType)) ?? null,
      weights: core.length === 1 ? findAttentionWeights(graph, core[0]!) : null,
      pre: mlp && findPreActivation(graph, mlp.input, origins.get(mlp)!),
      joins: [findJoin(graph, attention.node), mlp && findJoin(graph, mlp.node)] as const,
    };
  });
  return layers.map(({ joins: [middle, end], ...layer }, index) => {
    const before = index === 0 ? middle?.before : layers[index - 1]!.joins[1]?.after;
    const chained =
      layer.mlp !== null &&
      same(graph, middle?.before, before) &&
      same(graph, end?.before, middle?.after) &&
      follows(graph, layer.attention.node, layer.mlp.node);
    return {
      ...layer,
      residual: chained && middle && end ? { pre: middle.before, mid: middle.after, post: end.after } : null,
    };
  });
}

/** One projection for each tensor that several read, as they do beside low-rank adapters: the one with the most outputs. */
function widest(projections: readonly Projection[]): Projection[] {
  const byInput = new Map<string, Projection>();
  for (const projection of projections) {
    const known = byInput.get(projection.input);
    if (known === undefined || projection.outSize > known.outSize) byInput.set(projection.input, projection);
  }
  return [...byInput.values()];
}

/** In the order in which one is computed from another; null if they do not form a chain. */
function byDepth(graph: ForeignGraph, projections: readonly Projection[]): Projection[] | null {
  const ends = new Map(projections.map((projection) => [projection.node, projection]));
  const depth = new Map<string, number>();
  const ordered: Projection[] = [];
  for (const node of graph.nodes) {
    const before = Math.max(0, ...node.input.map((name) => depth.get(name) ?? 0));
    const projection = ends.get(node);
    if (projection !== undefined) {
      if (ordered[before] !== undefined) return null;
      ordered[before] = projection;
    }
    const after = projection === undefined ? before : before + 1;
    for (const output of node.output) depth.set(output, after);
  }
  return ordered.length === projections.length ? ordered : null;
}

/** Whether two tensors are one but for its type: models convert their stream to float32 before norms. */
function same(graph: ForeignGraph, first: string | undefined, second: string | undefined): boolean {
  const origin = (name: string | undefined): string | undefined => {
    const node = graph.producer(name ?? '');
    return node?.opType === 'Cast' || node?.opType === 'Identity' ? origin(node.input[0]) : name;
  };
  return first !== undefined && origin(first) === origin(second);
}

/** Whether a node is computed from another; in a parallel layer the MLP is not from the attention. */
function follows(graph: ForeignGraph, first: NodeProto, second: NodeProto): boolean {
  const derived = new Set(first.output);
  for (const node of graph.nodes) {
    if (!node.input.some((name) => derived.has(name))) continue;
    if (node === second) return true;
    for (const output of node.output) derived.add(output);
  }
  return false;
}

function noLayers(
  graph: ForeignGraph,
  attentions: readonly Projection[],
  mlps: readonly Projection[],
): CheckpointError {
  const inputs = (projections: readonly Projection[]): string =>
    projections.length === 0
      ? 'none'
      : `${projections.length} (${projections
          .slice(0, 3)
          .map(({ input }) => input)
          .join(', ')}${projections.length > 3 ? ', …' : ''})`;
  return new CheckpointError({
    what: 'the graph is no stack of layers with an attention and an MLP each, or fusion hid them',
    where: graph.file.path,
    expected:
      'projections that end an attention, and as many that end an MLP or none of those, one after the other',
    found: `inputs of attention outputs: ${inputs(attentions)}; of MLP outputs: ${inputs(mlps)}; operators: ${operatorCounts(graph)}`,
    remedy:
      'export the model without fusing MLPs or experts into one operator, or give its safetensors folder',
  });
}

/** The operators that MLPs may be hidden in: `MatMul × 30, com.microsoft.QMoE × 4`. */
export function operatorCounts(graph: ForeignGraph): string {
  const counts = new Map<string, number>();
  for (const { opType, domain } of graph.nodes) {
    const fused = domain !== '' && domain !== 'ai.onnx';
    if (fused || opType === 'MatMul' || opType === 'Gemm') {
      const name = fused ? `${domain}.${opType}` : opType;
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
  }
  return [...counts].map(([name, count]) => `${name} × ${count}`).join(', ') || 'no matrix products';
}

/** Heads that a fused attention was told of. */
export function fusedHeads(node: NodeProto): { heads: number | null; kvHeads: number | null } {
  const read = (...names: string[]): number | null => {
    const found = names.map((name) => attribute(node, name)).find((each) => each !== undefined);
    return found === undefined ? null : Number(found.i);
  };
  return { heads: read('num_heads', 'q_num_heads'), kvHeads: read('kv_num_heads') };
}

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
