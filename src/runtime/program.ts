import { UsageError } from '../errors.js';
import { type GradientTap, type Tap, tapOutput } from '../hooks/index.js';
import {
  type Batching,
  type GraphOptions,
  layerTaps,
  type Model,
  type ModelGraph,
  WHOLE_INPUTS,
  WHOLE_LOGITS,
} from '../models/index.js';
import type { Kept, Slot, Step, WireGraph } from './worker/protocol.js';

/** The values that are asked for of a list of prompts. */
export interface ProgramRequest {
  readonly taps: readonly Tap[];
  readonly logits: boolean;
  /** Layers that the taps are for; undefined: all. What comes after the last of them runs only for the logits. */
  readonly layers?: readonly number[] | undefined;
  /** Layers after which the residual stream is kept as it is. */
  readonly streams?: readonly number[] | undefined;
}

/** Each graph is wanted once a chunk. */
export function rememberGraphs(model: Model): Model {
  const graphs = new Map<string, ModelGraph>();
  const remember = (key: string, make: () => ModelGraph): ModelGraph => {
    const graph = graphs.get(key) ?? make();
    graphs.set(key, graph);
    return graph;
  };
  if (model.kind === 'whole') {
    return {
      ...model,
      graph: (taps, logits) => remember(wholeKey(taps, logits), () => model.graph(taps, logits)),
    };
  }
  return {
    ...model,
    embed: (options) => remember(withPast('embed', options), () => model.embed(options)),
    layer: (index, taps, options) =>
      remember(withPast(layerKey(index, taps), options), () => model.layer(index, taps, options)),
    unembed: () => remember('unembed', () => model.unembed()),
    backward: (index, taps = []) =>
      remember(`backward ${layerKey(index, taps)}`, () => model.backward(index, taps)),
    loss: (options) => remember(`loss ${options?.gradient}`, () => model.loss(options)),
  };
}

const layerKey = (index: number, taps: readonly (Tap | GradientTap)[]): string =>
  [index, ...taps.map((tap) => tapOutput(tap))].join(' ');
const wholeKey = (taps: readonly Tap[], logits: boolean): string =>
  ['whole', logits, ...taps.map((tap) => tapOutput(tap))].join(' ');
const withPast = (key: string, options: GraphOptions = {}): string => (options.past ? `${key} past` : key);

/**
 * The steps that give what is asked for, in the order in which they run.
 *
 * @throws UsageError for a layer that the model does not have
 */
export function programOf(model: Model, request: ProgramRequest): readonly Step[] {
  const count = model.shape.layers;
  for (const layer of [...(request.layers ?? []), ...(request.streams ?? [])]) {
    if (Number.isInteger(layer) && layer >= 0 && layer < count) continue;
    throw new UsageError({
      what: `the model has no layer ${layer}`,
      expected: `layers from 0 to ${count - 1}`,
    });
  }
  return model.kind === 'whole' ? [wholeStep(model, request)] : layeredSteps(model, request);
}

function layeredSteps(
  model: Extract<Model, { kind: 'layered' }>,
  { taps, logits, layers, streams = [] }: ProgramRequest,
): Step[] {
  const every = [...Array(model.shape.layers).keys()];
  const recorded = layers ?? every;
  const last = logits ? model.shape.layers - 1 : Math.max(...recorded, ...streams, 0);
  const embed = wire('embed', model.embed());
  const steps = every.slice(0, last + 1).map((layer): Step => {
    const own = recorded.includes(layer) ? layerTaps(model, layer, taps) : [];
    const graph = wire(layerKey(layer, own), model.layer(layer, own));
    const stream = { tap: { hook: 'hook_resid_post', statistic: 'full' }, output: 'next', layer } as const;
    return {
      ...STEP,
      graph,
      layer,
      computes: [layer],
      reads: reading(graph, { hidden: 'stream', counted: 'counted', lengths: 'lengths' }),
      writes: { slot: 'stream', output: 'next' },
      kept: [
        ...own.map((tap): Kept => ({ tap, output: tapOutput(tap), layer })),
        ...(streams.includes(layer) ? [stream] : []),
      ],
    };
  });
  const first: Step = {
    ...STEP,
    graph: embed,
    reads: reading(embed, { input_ids: 'ids', lengths: 'lengths' }),
    writes: { slot: 'stream', output: 'hidden' },
  };
  if (!logits) return [first, ...steps];
  const unembed = wire('unembed', model.unembed());
  const reads = reading(unembed, { hidden: 'stream' });
  return [first, ...steps, { ...STEP, graph: unembed, reads, logits: 'logits', alone: true }];
}

function wholeStep(
  model: Extract<Model, { kind: 'whole' }>,
  { taps, logits, layers, streams = [] }: ProgramRequest,
): Step {
  const computes = [...Array(model.shape.layers).keys()];
  const stream: Tap = { hook: 'hook_resid_post', statistic: 'full' };
  const added = streams.length > 0 && !taps.some((tap) => tapOutput(tap) === tapOutput(stream));
  const all = added ? [...taps, stream] : taps;
  const graph = wire(wholeKey(all, logits), model.graph(all, logits));
  const wanted = (tap: Tap, layer: number): boolean =>
    (taps.includes(tap) && (layers?.includes(layer) ?? true)) ||
    (tapOutput(tap) === tapOutput(stream) && streams.includes(layer));
  return {
    ...STEP,
    graph,
    computes,
    reads: reading(graph, { [WHOLE_INPUTS.ids]: 'ids', [WHOLE_INPUTS.counted]: 'counted' }),
    kept: computes.flatMap((layer) =>
      all
        .filter((tap) => wanted(tap, layer))
        .map((tap) => ({ tap, output: `blocks.${layer}.${tapOutput(tap)}`, layer })),
    ),
    logits: logits ? WHOLE_LOGITS : null,
  };
}

/** A step that does nothing yet. */
const STEP = {
  layer: null,
  computes: [],
  writes: null,
  saves: false,
  kept: [],
  logits: null,
  loss: null,
  rows: null,
  alone: false,
} as const;

/**
 * The steps of a forward pass to the loss and a backward pass as far down as a gradient is wanted.
 *
 * @param layers that the taps are for
 * @param memoryBytes that logits may take
 * @throws UsageError for a graph of another exporter, which has no backward graph, or a layer that the model does not have
 */
export function backwardProgramOf(
  model: Model,
  taps: readonly GradientTap[],
  layers: readonly number[],
  memoryBytes: number,
): readonly Step[] {
  if (model.kind === 'whole') {
    throw new UsageError({
      what: 'there are no gradients of the graph of another exporter',
      where: model.path,
      remedy: 'give the folder of its safetensors',
    });
  }
  const [embed, ...forward] = programOf(model, { taps: [], logits: false, layers: [model.shape.layers - 1] });
  const lowest = Math.min(...layers, model.shape.layers);
  const loss = wire('loss gradient', model.loss({ gradient: true }));
  const ending: Step = {
    ...STEP,
    graph: loss,
    reads: reading(loss, { hidden: 'stream', targets: 'targets', weights: 'weights' }),
    writes: { slot: 'gradient', output: 'previous' },
    loss: 'nll',
    rows: lossRows(model.shape.vocab, memoryBytes),
  };
  const down = Array.from({ length: model.shape.layers - lowest }, (_, i) => model.shape.layers - 1 - i);
  const backward = down.map((layer): Step => {
    const here = new Set(model.hooks.filter((point) => point.layer === layer).map(({ hook }) => hook));
    const own = layers.includes(layer) ? taps.filter(({ hook }) => here.has(hook)) : [];
    const graph = wire(`backward ${layerKey(layer, own)}`, model.backward(layer, own));
    return {
      ...STEP,
      graph,
      layer,
      computes: [layer],
      reads: reading(graph, { hidden: 'saved', gradient: 'gradient', lengths: 'lengths' }),
      writes: { slot: 'gradient', output: 'previous' },
      kept: own.map((tap): Kept => ({ tap, output: tapOutput(tap), layer })),
    };
  });
  const saving = forward.map((step): Step => ({ ...step, computes: [], saves: step.layer! >= lowest }));
  return [embed!, ...saving, ending, ...backward];
}

/** Arrays as large as the logits that exist at once while the loss and its gradient are computed. */
const LOGITS_AT_ONCE = 6;

/** Tokens whose logits may exist at once: they take an eighth of the memory at the most. */
function lossRows(vocab: number, memoryBytes: number): number {
  const row = LOGITS_AT_ONCE * vocab * Float32Array.BYTES_PER_ELEMENT;
  return Math.max(1, Math.min(512, Math.floor(memoryBytes / 8 / row)));
}

function reading({ inputs }: WireGraph, slots: Readonly<Record<string, Slot>>): Record<string, Slot> {
  return Object.fromEntries(inputs.map((input) => [input, slots[input]!]));
}

/** A batch's logits at a vocabulary of 150,000 would be 1.2 GB: a whole graph that gives them runs a prompt at a time. */
export function batchingOf(model: Model, logits: boolean): Batching {
  if (model.kind === 'layered') return 'any-length';
  return logits ? 'alone' : model.batching;
}

export function wire(key: string, graph: ModelGraph): WireGraph {
  return { key, bytes: graph.bytes, inputs: graph.inputs, convertsAtRun: graph.convertsAtRun ?? false };
}
