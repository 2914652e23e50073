import type { FlopTerm } from '../../graph/index.js';
import { type Tap, tapOutput } from '../../hooks/index.js';
import { layerTaps, type Model, type ModelGraph } from '../../models/index.js';
import { batchTokens, bytesOfWorkers, memoryNeeds, PROCESS_BYTES } from '../../runtime/index.js';
import { arrayBytes, type RunManifest, type RunPlan } from '../../store/index.js';
import { CHUNK_TOKENS } from './deal.js';
import { layerArrays, recordable, runTaps } from './recording.js';

/** Bytes of a run's layers; its parts take as much besides until they are merged. */
export function runBytes(manifest: Pick<RunManifest, 'plan' | 'shape'>): number {
  return Array.from({ length: manifest.shape.layers }, (_, layer) => layerArrays(manifest, layer))
    .flat()
    .reduce((sum, array) => sum + arrayBytes(array), 0);
}

/** Bytes that every prompt adds to the layers, its pooled values, with the default hooks. */
function bytesAPrompt(model: Model, keep: 'items' | 'expert-items'): number {
  const { shape } = model;
  const taps = runTaps({ keep, pooling: 'mean', extraHooks: [], mixture: shape.mixture !== null });
  const hooks = recordable(model, taps).map(tapOutput);
  return runBytes({ shape, plan: { ...ONE_PROMPT, keep, hooks } });
}

const ONE_PROMPT: RunPlan = {
  languages: [''],
  items: [{ id: '', fold: 0 }],
  folds: 0,
  seed: 0,
  positions: 'all',
  countFirst: false,
  bos: 'auto',
  keep: 'items',
  pooling: 'mean',
  chunks: [],
  hooks: [],
};

/** Work, memory and room that a capture of a checkpoint will take, before anything has run. */
export interface CaptureEstimate {
  /** Tokens of the prompts that the figures are for. */
  readonly promptTokens: number;
  /**
   * Floating-point operations a token of the matrix products of all layers, attention included; null for a graph that
   * is not ours. The unembedding is not run.
   */
  readonly flopsPerToken: number | null;
  readonly memory: {
    /** The least that works, in bytes: one layer at a time and the shortest chunks. */
    readonly least: number;
    /** One layer at a time, and chunks as long as they are worth it, in bytes. */
    readonly layerByLayer: number;
    /** All layers kept open from chunk to chunk, in bytes. */
    readonly resident: number;
    /** The same in each of the workers, with the memory it has worked in, in bytes: the fastest way. */
    readonly fastest: number;
  };
  /** Bytes on disk of a prompt's pooled values. */
  readonly disk: {
    /** With `--keep items`. */
    readonly items: number;
    /** With `--keep expert-items`; null for a dense model. */
    readonly expertItems: number | null;
  };
}

/** Length of a sentence or two, as most probe sets have them. */
const PROMPT_TOKENS = 64;

/**
 * Figures for a capture with the default hooks, pooled by item, on prompts of 64 tokens.
 *
 * @param workers Threads that run batches side by side where the memory allows; default 1.
 */
export function estimateCapture(model: Model, workers = 1): CaptureEstimate {
  const { shape } = model;
  const mixture = shape.mixture !== null;
  const taps = recordable(model, runTaps({ keep: 'items', pooling: 'mean', extraHooks: [], mixture }));
  if (model.kind === 'whole') return estimate(model, taps, null, workers);
  const graphs = Array.from({ length: shape.layers }, (_, layer) =>
    model.layer(layer, layerTaps(model, layer, taps)),
  );
  return estimate(
    { ...model, layer: (index) => graphs[index]! },
    taps,
    flopsPerToken(graphs, model),
    workers,
  );
}

function estimate(
  model: Model,
  taps: readonly Tap[],
  flops: number | null,
  workers: number,
): CaptureEstimate {
  const prompts = { longestPrompt: PROMPT_TOKENS, tokensPerPrompt: PROMPT_TOKENS };
  const needs = memoryNeeds(model, taps, prompts);
  const { residentBytes, passingBytes, workBytes, bytesPerToken } = needs;
  const base = PROCESS_BYTES + workBytes;
  return {
    promptTokens: PROMPT_TOKENS,
    flopsPerToken: flops,
    memory: {
      least: Math.ceil(base + passingBytes + PROMPT_TOKENS * bytesPerToken),
      layerByLayer: Math.ceil(base + passingBytes + CHUNK_TOKENS * bytesPerToken),
      resident: Math.ceil(base + residentBytes + CHUNK_TOKENS * bytesPerToken),
      fastest: Math.ceil(bytesOfWorkers(needs, CHUNK_TOKENS, workers)),
    },
    disk: {
      items: bytesAPrompt(model, 'items'),
      expertItems: model.shape.mixture === null ? null : bytesAPrompt(model, 'expert-items'),
    },
  };
}

function flopsPerToken(layers: readonly ModelGraph[], model: Model): number | null {
  const { experts, mixture } = model.shape;
  const batch = Math.max(1, Math.floor(batchTokens(model) / PROMPT_TOKENS));
  // Tokens spread evenly over the experts.
  const tokens = mixture === null ? 0 : (batch * PROMPT_TOKENS * mixture.perToken) / experts!;
  const sizes = { batch, seq: PROMPT_TOKENS, tokens };
  const terms = layers.flatMap((layer) => layer.flops ?? []);
  const flops = terms.reduce((sum, term) => sum + evaluate(term, sizes), 0);
  return Number.isNaN(flops) ? null : flops / (batch * PROMPT_TOKENS);
}

/** NaN where a size is not known. A product of weights alone is computed once, not for every batch. */
function evaluate({ factor, symbols }: FlopTerm, sizes: Readonly<Record<string, number>>): number {
  if (symbols.length === 0) return 0;
  return symbols.reduce((product, symbol) => product * (sizes[symbol] ?? Number.NaN), factor);
}
