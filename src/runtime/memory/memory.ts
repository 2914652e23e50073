import { expertsOf, neuronsOf, type Tap } from '../../hooks/index.js';
import { layerTaps, type Model, type ModelGraph, type ModelShape } from '../../models/index.js';
import { batchTokens } from './batches.js';

const BYTES_PER_FLOAT = 4;

/**
 * Node, onnxruntime's library, a tokenizer and a few thousand tokenized prompts: what a capture of a 5 M parameter
 * checkpoint over 300 facts in 16 languages peaked at (356 MiB), less the estimates below.
 */
export const PROCESS_BYTES = 280 * 2 ** 20;

/**
 * While a session is created a layer's weights exist as fp32 and packed for the matrix product besides; afterwards only the
 * packed copy stays.
 */
const CREATION_FACTOR = 2;

/** Arenas grow in powers of two: 40–58 MB measured where a batch works in 31 MB. */
const ARENA_FACTOR = 2;

/** The memory that a runner needs, in bytes, whatever the chunk. */
export interface MemoryNeeds {
  /** All layers' sessions open at once. */
  readonly residentBytes: number;
  /** Their allocation arenas keep this besides. */
  readonly arenaBytes: number;
  /** One layer's session while it is created. */
  readonly passingBytes: number;
  /** Activations of one batch inside one layer. */
  readonly workBytes: number;
  /** Residual stream and readings a token of the chunk. */
  readonly bytesPerToken: number;
}

export interface ChunkStatistics {
  readonly longestPrompt: number;
  readonly tokensPerPrompt: number;
}

/** Estimates from shapes alone what running `taps` on prompts of these lengths takes. */
export function memoryNeeds(model: Model, taps: readonly Tap[], prompts: ChunkStatistics): MemoryNeeds {
  const { shape } = model;
  const readings = taps.reduce((sum, tap) => sum + readingWidth(shape, tap), 0) / prompts.tokensPerPrompt;
  const patterns = taps.some(({ hook }) => hook === 'attn.hook_pattern') ? 4 : 2;
  // What experts' neurons come to is as wide as all experts together, in pieces and then joined.
  const outputs = shape.mixture === null ? 0 : 2 * readings;
  const batch = Math.max(batchTokens(model), prompts.longestPrompt);
  const work = workBytes(shape, batch, prompts.longestPrompt, patterns, outputs);
  if (model.kind === 'whole') {
    const created = model.graph(taps, false).residentBytes * CREATION_FACTOR;
    return {
      residentBytes: created,
      arenaBytes: work * ARENA_FACTOR,
      passingBytes: created,
      workBytes: work,
      // All layers' readings stay in the worker until the chunk is done.
      bytesPerToken: BYTES_PER_FLOAT * readings * (shape.layers + 2),
    };
  }
  const graphs = Array.from({ length: shape.layers }, (_, l) => model.layer(l, layerTaps(model, l, taps)));
  const total = (of: (graph: ModelGraph) => number): number =>
    graphs.reduce((sum, graph) => sum + of(graph), 0);
  const largest = (of: (graph: ModelGraph) => number): number => Math.max(...graphs.map(of));
  return {
    // Of a layer that converts weights as it runs nothing stays, but in its arena.
    residentBytes:
      total(({ convertsAtRun, residentBytes }) => (convertsAtRun ? 0 : residentBytes)) +
      largest(({ residentBytes }) => residentBytes),
    arenaBytes:
      shape.layers * work * ARENA_FACTOR +
      total(({ convertsAtRun, residentBytes }) => (convertsAtRun ? residentBytes : 0)),
    passingBytes: largest(
      ({ convertsAtRun, residentBytes }) => residentBytes * (convertsAtRun ? 1 : CREATION_FACTOR),
    ),
    workBytes: work,
    // The stream before and after a layer share one buffer a batch; readings exist in the worker, in flight and in
    // the main thread.
    bytesPerToken: BYTES_PER_FLOAT * (shape.dModel * PADDING_FACTOR + 3 * readings),
  };
}

/** Padded tokens a real token, with prompts sorted by length. */
const PADDING_FACTOR = 1.25;

function readingWidth(shape: ModelShape, tap: Tap): number {
  if (tap.statistic.startsWith('norm.') || tap.hook === 'attn.hook_pattern') return shape.heads;
  const widest = (of: (layer: number) => number): number =>
    Math.max(...Array.from({ length: shape.layers }, (_, layer) => of(layer)));
  if (tap.hook === 'mlp.hook_router') return widest((layer) => expertsOf(shape, layer));
  if (tap.hook.startsWith('mlp.')) return widest((layer) => neuronsOf(shape, layer));
  if (tap.hook === 'attn.hook_z') return shape.heads * shape.headDim;
  return shape.dModel;
}

/**
 * Widest moment of a batch: MLP branches with their reductions, or attention with so many arrays as large as its scores.
 * `outputs` are values a token that leave the layer's graph.
 */
function workBytes(
  shape: ModelShape,
  tokens: number,
  longestPrompt: number,
  patterns: number,
  outputs: number,
): number {
  const stream = 3 * shape.dModel;
  // Where every layer has experts, no layer has an MLP of dMlp neurons.
  const dMlp = shape.mixture?.layers.length === shape.layers ? 0 : shape.dMlp;
  const mlp = Math.max(5 * dMlp, expertValues(shape)) + outputs;
  const attention =
    (3 * shape.heads + 2 * shape.kvHeads) * shape.headDim + patterns * shape.heads * longestPrompt;
  return BYTES_PER_FLOAT * tokens * (stream + Math.max(mlp, attention));
}

/**
 * Values a token in a layer's experts: of all of them pre-activations and activations until they are reduced, of one at a time
 * what else it computes, of shared experts all of it.
 */
function expertValues({ experts, mixture }: ModelShape): number {
  if (mixture === null) return 0;
  const routed = mixture.perToken * mixture.dExpert;
  return 2 * routed + (3 * routed) / experts! + 5 * mixture.dShared;
}

/** How layers share the memory. Makes no difference to what they compute. */
export interface Residency {
  /** Sessions stay open from chunk to chunk. */
  readonly resident: boolean;
  /**
   * Each session keeps the memory it has worked in: 10–20 % less processor time, since fresh pages need not be mapped at every
   * run, for one batch's activations a layer.
   */
  readonly arena: boolean;
}

/** The fastest way of running that fits beside a chunk of this many tokens. */
export function chooseResidency(needs: MemoryNeeds, chunkTokens: number, memoryBytes: number): Residency {
  const { residentBytes, arenaBytes, workBytes, bytesPerToken } = needs;
  const bytes = PROCESS_BYTES + residentBytes + workBytes + chunkTokens * bytesPerToken;
  return { resident: bytes <= memoryBytes, arena: bytes + arenaBytes <= memoryBytes };
}

/** Memory that a worker beside the first has of its own: a heap and onnxruntime. */
const WORKER_BYTES = 64 * 2 ** 20;
/** More would have little to do: a chunk has some dozen batches. */
export const MOST_WORKERS = 8;

/** Bytes that so many workers take together, each with every layer open and the memory it has worked in. */
export function bytesOfWorkers(
  { residentBytes, arenaBytes, workBytes, bytesPerToken }: MemoryNeeds,
  chunkTokens: number,
  workers: number,
): number {
  const own = residentBytes + arenaBytes + workBytes;
  return PROCESS_BYTES + chunkTokens * bytesPerToken + workers * own + (workers - 1) * WORKER_BYTES;
}

/**
 * How many workers may share a chunk's batches: products as small as a small model's gain little from a second thread,
 * while batches side by side do. At least one. Makes no difference to what they compute.
 */
export function workersThatFit(needs: MemoryNeeds, chunkTokens: number, memoryBytes: number): number {
  let workers = MOST_WORKERS;
  while (workers > 1 && bytesOfWorkers(needs, chunkTokens, workers) > memoryBytes) workers--;
  return workers;
}

/** Tokens a chunk may have while its layers pass one at a time. At most 0 if not even one layer fits. */
export function tokensThatFit(needs: MemoryNeeds, memoryBytes: number): number {
  const { passingBytes, workBytes, bytesPerToken } = needs;
  return Math.floor((memoryBytes - PROCESS_BYTES - passingBytes - workBytes) / bytesPerToken);
}
