import { create, fromBinary } from '@bufbuild/protobuf';
import { CheckpointError, UsageError } from '../../errors.js';
import {
  add,
  type Float,
  Graph,
  type GraphProto,
  GraphProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  reshape,
  serialize,
  TensorProtoSchema,
  transpose,
  type Value,
} from '../../graph/index.js';
import {
  type Activation,
  type BlockHook,
  hookPoints,
  record,
  reduces,
  type Tap,
  tapOutput,
  validateTaps,
} from '../../hooks/index.js';
import {
  type HiddenHook,
  hides,
  type ModelGraph,
  type ModelShape,
  WHOLE_INPUTS,
  WHOLE_LOGITS,
  type WholeModel,
} from '../types.js';
import { Additions, OWN } from './additions.js';
import { assemble } from './assemble.js';
import type { ForeignGraph } from './foreign-graph.js';
import { type LayerPoints, operatorCounts } from './points.js';
import type { PreActivation } from './pre-activation.js';
import { projectionWeight, quantisesByBatch } from './projections.js';

const READOUT = `${OWN}readout/`;

/** A foreign graph as a model that runs whole. */
export function onnxModel(
  graph: ForeignGraph,
  layers: readonly LayerPoints[],
  shape: ModelShape,
): WholeModel {
  const passed = layers.map((layer) => HOOKS.filter((hook) => tensorOf(layer, hook) !== null));
  const hidden = findHidden(graph, layers, passed);
  return {
    kind: 'whole',
    path: graph.file.path,
    shape,
    hooks: hookPoints(shape, passed),
    hidden,
    batching: quantisesByBatch(graph) ? 'alone' : 'equal-length',
    graph(taps, logits) {
      validateTaps(taps);
      for (const tap of taps) {
        const lacking = hidden.find((each) => hides(each, tap));
        if (lacking !== undefined) throw isHidden(graph, passed, lacking);
        if (!HOOKS.includes(tap.hook)) {
          throw new UsageError({ what: `${tap.hook} is not looked for in graphs of other exporters` });
        }
      }
      return new Readouts(graph, layers, shape).build(taps, logits);
    },
  };
}

type Tensor = PreActivation | null;

const plain = (tensor: string | null | undefined): Tensor => (tensor == null ? null : { tensor, bias: null });

/** Finds the tensor of each hook point of a layer, in the order in which a layer computes them; null where the graph does not show it. */
const TENSORS: Readonly<Partial<Record<BlockHook, (layer: LayerPoints) => Tensor>>> = {
  hook_resid_pre: ({ residual }) => plain(residual?.pre),
  'attn.hook_pattern': ({ weights }) => plain(weights),
  'attn.hook_z': ({ attention }) => plain(attention.input),
  hook_resid_mid: ({ residual }) => plain(residual?.mid),
  'mlp.hook_pre': ({ pre }) => pre,
  'mlp.hook_post': ({ mlp }) => plain(mlp?.input),
  hook_resid_post: ({ residual }) => plain(residual?.post),
};

const HOOKS = Object.keys(TENSORS) as BlockHook[];

const tensorOf = (layer: LayerPoints, hook: BlockHook): Tensor => TENSORS[hook]?.(layer) ?? null;

/** Hook points that layers of this kind have, and that these do not all show. */
function findHidden(
  graph: ForeignGraph,
  layers: readonly LayerPoints[],
  passed: readonly (readonly BlockHook[])[],
): HiddenHook[] {
  const hidden: HiddenHook[] = [];
  const add = (
    hook: BlockHook,
    lacking: (layer: number) => boolean,
    why: string,
    statistics: HiddenHook['statistics'] = 'all',
  ) => {
    const where = [...layers.keys()].filter(lacking);
    if (where.length > 0) hidden.push({ hook, layers: where, statistics, why });
  };
  for (const hook of HOOKS) {
    const first = passed.findIndex((hooks) => !hooks.includes(hook));
    if (first !== -1)
      add(hook, (layer) => !passed[layer]!.includes(hook), whyHidden(graph, layers[first]!, hook));
  }
  add(
    'attn.hook_z',
    (layer) => projectionWeight(graph, layers[layer]!.attention, new Additions()) === null,
    'the weight behind the heads is stored in a way that is not undone',
    'norms',
  );
  return hidden;
}

function whyHidden(graph: ForeignGraph, { mlp, fusedAttention }: LayerPoints, hook: BlockHook): string {
  if (hook === 'attn.hook_pattern') {
    return fusedAttention === null
      ? 'no softmax over keys was found before the values'
      : `attention is fused into one ${fusedAttention.opType}`;
  }
  if (mlp === null) return `no projection that ends an MLP was found among ${operatorCounts(graph)}`;
  return hook === 'mlp.hook_pre'
    ? `the activation function is fused into a projection before ${mlp.input}`
    : 'attention and MLP do not join the residual stream one after the other';
}

function isHidden(
  graph: ForeignGraph,
  passed: readonly (readonly BlockHook[])[],
  { hook, layers: [layer = 0], statistics, why }: HiddenHook,
): CheckpointError {
  const norms = statistics === 'norms' ? 'norms at ' : '';
  return new CheckpointError({
    what: `the graph has no ${norms}blocks.${layer}.${hook}: ${why}`,
    where: graph.file.path,
    expected: `blocks.{0…${passed.length - 1}}.${hook}`,
    found: `in layer ${layer}: ${passed[layer]!.join(', ')}`,
    remedy: 'export the model without fusing operators, or give its safetensors folder',
  });
}

/** One graph with taps while it is put together: our reducers, written with our own operators, behind foreign tensors. */
class Readouts {
  readonly #foreign: ForeignGraph;
  readonly #layers: readonly LayerPoints[];
  readonly #shape: ModelShape;
  readonly #additions = new Additions();
  readonly #graph = new Graph('readouts');
  /** Our name of a tensor → its name in the foreign graph. */
  readonly #names = new Map<string, string>();

  constructor(foreign: ForeignGraph, layers: readonly LayerPoints[], shape: ModelShape) {
    this.#foreign = foreign;
    this.#layers = layers;
    this.#shape = shape;
  }

  build(taps: readonly Tap[], logits: boolean): ModelGraph {
    const ids = this.#graph.input(this.#alias(WHOLE_INPUTS.ids), 'int64', ['batch', 'seq']);
    const inputs: Value[] = [ids];
    let counted: Float | null = null;
    if (taps.some(reduces)) {
      counted = this.#graph.input(this.#alias(WHOLE_INPUTS.counted), 'float32', ['batch', 'seq']);
      inputs.push(counted);
    }
    for (const [index, layer] of this.#layers.entries()) {
      const seen = new Map<BlockHook, Activation>();
      for (const tap of taps) {
        const activation = seen.get(tap.hook) ?? this.#activation(layer, tap.hook);
        seen.set(tap.hook, activation);
        this.#graph.output(`blocks.${index}.${tapOutput(tap)}`, record(tap, activation, counted));
      }
    }
    if (logits) this.#graph.output(WHOLE_LOGITS, this.#read(this.#logitsName(), this.#shape.vocab));
    const names = new Set(inputs.map(({ name }) => this.#names.get(name)!));
    const readouts = this.#rename(fromBinary(ModelProtoSchema, serialize(this.#graph)).graph!);
    const { bytes, residentBytes } = assemble(this.#foreign, {
      inputs: readouts.input.filter(({ name }) => names.has(name)),
      ids: WHOLE_INPUTS.ids,
      additions: this.#additions,
      readouts,
    });
    return { bytes, inputs: [...names], outputs: [...this.#graph.outputs.keys()], residentBytes };
  }

  #activation(layer: LayerPoints, hook: BlockHook): Activation {
    const { dModel, dMlp, heads, headDim } = this.#shape;
    const { tensor, bias } = tensorOf(layer, hook)!;
    if (hook === 'attn.hook_pattern') {
      return { value: this.#convert(tensor, ['batch', heads, 'seq', 'seq']) };
    }
    if (hook === 'attn.hook_z') {
      const value = reshape(this.#read(tensor, heads * headDim), ['batch', 'seq', heads, headDim]);
      let mixing: Float | undefined; // several statistics share it
      return {
        value,
        mixing: () => {
          mixing ??= this.#mixing(layer);
          return mixing;
        },
      };
    }
    const value = this.#read(tensor, hook.startsWith('mlp.') ? dMlp : dModel);
    return { value: bias === null ? value : add(value, this.#convert(bias, [dMlp])) };
  }

  /** The weight of the output projection, [dModel, heads × headDim]. */
  #mixing({ attention }: LayerPoints): Float {
    const weight = projectionWeight(this.#foreign, attention, this.#additions)!;
    return transpose(this.#convert(weight, [attention.inSize, attention.outSize]), [1, 0]);
  }

  /** A foreign tensor of the stream, whatever its rank and type, as float32 [batch, seq, width]. */
  #read(name: string, width: number): Float {
    return reshape(this.#convert(name, ['batch*seq', width]), ['batch', 'seq', width]);
  }

  #convert(name: string, shape: readonly (number | string)[]): Float {
    const FLOAT = 1;
    const foreign = this.#graph.input(this.#alias(name), 'float32', shape);
    return this.#graph.node('Cast', [foreign], [['float32', shape]], { to: FLOAT })[0];
  }

  #alias(name: string): string {
    const alias = `foreign_${this.#names.size}`;
    this.#names.set(alias, name);
    return alias;
  }

  #logitsName(): string {
    const { graph, path } = this.#foreign.file;
    const found = graph.output.find(({ name }) => name === 'logits');
    if (found !== undefined) return found.name;
    throw new CheckpointError({
      what: 'the graph has no output named logits',
      where: path,
      found: graph.output.map(({ name }) => name).join(', '),
      remedy: 'export the model with its language-model head',
    });
  }

  /** Our names made unlike all foreign ones, and foreign tensors called what they are called there. */
  #rename(graph: GraphProto): GraphProto {
    const own = (name: string): string =>
      this.#names.get(name) ?? (this.#graph.outputs.has(name) || name === '' ? name : READOUT + name);
    return create(GraphProtoSchema, {
      input: graph.input.map((info) => ({ ...info, name: own(info.name) })),
      output: graph.output,
      initializer: graph.initializer.map((tensor) =>
        create(TensorProtoSchema, { ...tensor, name: own(tensor.name) }),
      ),
      node: graph.node.map((node) =>
        create(NodeProtoSchema, {
          ...node,
          name: READOUT + node.name,
          input: node.input.map(own),
          output: node.output.map(own),
        }),
      ),
    });
  }
}
