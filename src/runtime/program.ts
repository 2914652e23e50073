import { type Tap, tapOutput } from '../hooks/index.js';
import { type Batching, layerTaps, type Model, type ModelGraph } from '../models/index.js';
import type { WireGraph, WireProgram } from './worker/protocol.js';

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
    embed: () => remember('embed', () => model.embed()),
    layer: (index, taps) => remember(layerKey(index, taps), () => model.layer(index, taps)),
    unembed: () => remember('unembed', () => model.unembed()),
  };
}

const layerKey = (index: number, taps: readonly Tap[]): string =>
  [index, ...taps.map((tap) => tapOutput(tap))].join(' ');
const wholeKey = (taps: readonly Tap[], logits: boolean): string =>
  ['whole', logits, ...taps.map((tap) => tapOutput(tap))].join(' ');

export function programOf(model: Model, taps: readonly Tap[], logits: boolean): WireProgram {
  if (model.kind === 'whole') {
    const graph = wire(wholeKey(taps, logits), model.graph(taps, logits));
    return { kind: 'whole', graph, layers: model.shape.layers, logits };
  }
  return {
    kind: 'layered',
    embed: wire('embed', model.embed()),
    layers: Array.from({ length: model.shape.layers }, (_, l) =>
      wire(layerKey(l, taps), model.layer(l, layerTaps(model, l, taps))),
    ),
    unembed: logits ? wire('unembed', model.unembed()) : null,
  };
}

/** A batch's logits at a vocabulary of 150,000 would be 1.2 GB: a whole graph that gives them runs a prompt at a time. */
export function batchingOf(model: Model, logits: boolean): Batching {
  if (model.kind === 'layered') return 'any-length';
  return logits ? 'alone' : model.batching;
}

export function wire(key: string, graph: ModelGraph): WireGraph {
  return { key, bytes: graph.bytes, inputs: graph.inputs, convertsAtRun: graph.convertsAtRun ?? false };
}
