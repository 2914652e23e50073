import { create } from '@bufbuild/protobuf';
import { CheckpointError } from '../../errors.js';
import {
  type AttributeProto,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  type ValueInfoProto,
} from '../../graph/index.js';
import type { OnnxFile } from './read-onnx.js';

/** Operators whose outputs tell of a tensor's shape and not of its values. */
const OF_SHAPES = new Set(['Shape', 'Size']);

/** A graph somebody else made, indexed: who makes each tensor, who reads it, and what follows from the tokens. */
export class ForeignGraph {
  readonly file: OnnxFile;
  /** Each after those whose outputs it reads. */
  readonly nodes: readonly NodeProto[];
  /** Inputs that must be fed: no initializer stands for them. */
  readonly inputs: readonly ValueInfoProto[];
  readonly initializers: ReadonlyMap<string, TensorProto>;
  /** Name of the input of token ids. */
  readonly ids: string;
  readonly #producers = new Map<string, NodeProto>();
  readonly #consumers = new Map<string, NodeProto[]>();
  readonly #fromTokens = new Set<string>();

  /** @throws CheckpointError for a graph with a cycle, with tensors that nothing makes, or without token ids as input. */
  constructor(file: OnnxFile) {
    this.file = file;
    const graph = inlineUncachedBranch(file.graph);
    this.initializers = new Map(graph.initializer.map((tensor) => [tensor.name, tensor]));
    this.inputs = graph.input.filter(({ name }) => !this.initializers.has(name));
    for (const node of graph.node) {
      for (const output of node.output) {
        if (output === '') continue;
        if (this.#producers.has(output)) throw broken(file, `two nodes make the tensor ${output}`);
        this.#producers.set(output, node);
      }
    }
    this.nodes = this.#sort(graph.node);
    for (const node of this.nodes) {
      for (const name of readsOf(node)) {
        const readers = this.#consumers.get(name) ?? [];
        readers.push(node);
        this.#consumers.set(name, readers);
      }
    }
    this.ids = this.#findIds();
    this.#fromTokens.add(this.ids);
    for (const node of this.nodes) {
      if (OF_SHAPES.has(node.opType)) continue;
      if (!readsOf(node).some((name) => this.#fromTokens.has(name))) continue;
      for (const output of node.output) if (output !== '') this.#fromTokens.add(output);
    }
  }

  producer(name: string): NodeProto | undefined {
    return this.#producers.get(name);
  }

  consumers(name: string): readonly NodeProto[] {
    return this.#consumers.get(name) ?? [];
  }

  /** Whether the tensor's values follow from which tokens came in; false for weights, shapes, positions and masks. */
  isActivation(name: string): boolean {
    return this.#fromTokens.has(name);
  }

  /** Sizes of a weight, or of what is computed from weights alone by moving elements or changing their type; else null. */
  weightShape(name: string): readonly number[] | null {
    const tensor = this.initializers.get(name) ?? constantOf(this.producer(name));
    if (tensor !== undefined) return tensor.dims.map(Number);
    const node = this.producer(name);
    if (node === undefined) return null;
    const shape = this.weightShape(node.input[0] ?? '');
    if (shape === null) return null;
    switch (node.opType) {
      case 'Cast':
      case 'Identity':
      case 'DequantizeLinear':
        return shape;
      case 'Transpose': {
        const order = attribute(node, 'perm')?.ints.map(Number) ?? shape.map((_, i) => shape.length - 1 - i);
        return order.map((axis) => shape[axis]!);
      }
      default:
        return null;
    }
  }

  /** Depth-first, so that a cycle is met where it closes. */
  #sort(nodes: readonly NodeProto[]): NodeProto[] {
    const known = new Set([...this.initializers.keys(), ...this.inputs.map(({ name }) => name)]);
    const sorted: NodeProto[] = [];
    const state = new Map<NodeProto, 'open' | 'done'>();
    for (const root of nodes) {
      const stack = [root];
      while (stack.length > 0) {
        const node = stack.at(-1)!;
        if (state.get(node) === 'done') {
          stack.pop();
          continue;
        }
        const before: NodeProto[] = [];
        for (const name of readsOf(node)) {
          const maker = this.#producers.get(name);
          if (maker === undefined) {
            if (!known.has(name)) throw broken(this.file, `nothing makes the tensor ${name}`, node);
          } else if (state.get(maker) !== 'done') before.push(maker);
        }
        if (before.length === 0) {
          state.set(node, 'done');
          sorted.push(node);
          stack.pop();
        } else {
          if (before.some((maker) => state.get(maker) === 'open'))
            throw broken(this.file, 'the graph has a cycle', node);
          state.set(node, 'open');
          stack.push(...before);
        }
      }
    }
    return sorted;
  }

  #findIds(): string {
    const found = this.inputs.find(({ name }) => name === 'input_ids');
    if (found !== undefined) return found.name;
    const names = this.inputs.map(({ name }) => name);
    throw new CheckpointError({
      what: 'the graph has no input of token ids',
      where: this.file.path,
      expected: 'an input named input_ids',
      found: names.slice(0, 6).join(', ') + (names.length > 6 ? ', …' : ''),
      remedy: names.includes('inputs_embeds')
        ? 'this is the decoder of a model that takes embeddings: give an export of the language model alone'
        : 'give the export of a language model',
    });
  }
}

/** Every tensor a node reads, those that its subgraphs take from outside included. */
export function readsOf(node: NodeProto): string[] {
  const names = node.input.filter((name) => name !== '');
  for (const { g } of node.attribute) if (g !== undefined) names.push(...outerReads(g));
  return names;
}

function outerReads(graph: GraphProto): string[] {
  const inner = new Set([
    ...graph.input.map(({ name }) => name),
    ...graph.initializer.map(({ name }) => name),
    ...graph.node.flatMap(({ output }) => output),
  ]);
  const read = [...graph.node.flatMap(readsOf), ...graph.output.map(({ name }) => name)];
  return read.filter((name) => name !== '' && !inner.has(name));
}

export function attribute(node: NodeProto, name: string): AttributeProto | undefined {
  return node.attribute.find((candidate) => candidate.name === name);
}

/** An integer attribute. */
export function integer(node: NodeProto, name: string): number | undefined {
  const found = attribute(node, name);
  return found === undefined ? undefined : Number(found.i);
}

function constantOf(node: NodeProto | undefined): TensorProto | undefined {
  return node?.opType === 'Constant' ? attribute(node, 'value')?.t : undefined;
}

function broken({ path }: OnnxFile, what: string, node?: NodeProto): CheckpointError {
  return new CheckpointError({
    what,
    where: path,
    ...(node && { found: `at node ${node.name || node.output[0]} (${node.opType})` }),
    remedy: 'export the model again',
  });
}

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
