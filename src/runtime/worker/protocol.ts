import type { WeightFile } from '../../checkpoint/index.js';
import type { ErrorDetails } from '../../errors.js';
import type { GradientTap, Tap } from '../../hooks/index.js';
import type { Residency } from '../memory/memory.js';
import type { Activation, Device } from '../types.js';

/** Settings that a worker is started with. */
export interface WorkerSettings {
  readonly weightsRoot: string;
  /** Files that weights are mapped from, and the bytes that each had. */
  readonly weights: readonly WeightFile[];
  readonly device: Device;
  readonly threads: number;
}

/** A graph as it crosses to the worker; `key` names it among those whose sessions stay open. */
export interface WireGraph {
  readonly key: string;
  readonly bytes: Uint8Array;
  readonly inputs: readonly string[];
  /** As in `ModelGraph`. */
  readonly convertsAtRun: boolean;
}

/**
 * Tensors of a batch that a graph may read: tokens, which of them count, prompts' lengths, the residual stream before the step;
 * of a backward pass also the stream as the layer read it, the gradient with regard to what it put out, each token's
 * successor and the weight of its loss.
 */
export type Slot = 'ids' | 'counted' | 'lengths' | 'stream' | 'saved' | 'gradient' | 'targets' | 'weights';

/** An output of a graph that is handed over. */
export interface Kept {
  readonly layer: number;
  readonly tap: Tap | GradientTap;
  /** Its name in the graph. */
  readonly output: string;
}

/** One graph of a program, run on every batch before the next step begins. */
export interface Step {
  readonly graph: WireGraph;
  /** Layer that errors name; null where there is none or there are several. */
  readonly layer: number | null;
  /** Layers that are done, and handed over, once the step is done. */
  readonly computes: readonly number[];
  /** The tensor that each input of the graph is fed. */
  readonly reads: Readonly<Record<string, Slot>>;
  /** The output that is the residual stream from here on, or the gradient; null: both stay as they are. */
  readonly writes: { readonly slot: 'stream' | 'gradient'; readonly output: string } | null;
  /** The stream before this step is saved for the step of the same layer that reads `saved`. */
  readonly saves: boolean;
  /** The output that has each token's negative log-likelihood, which is weighted and summed up by prompt; null: none. */
  readonly loss: string | null;
  /** Tokens of a batch that run at once, whatever prompt they belong to; null: all. */
  readonly rows: number | null;
  readonly kept: readonly Kept[];
  /** The output that has the logits; null: none. */
  readonly logits: string | null;
  /** Prompts run one at a time, without padding: a batch's logits at a vocabulary of 150,000 would be 1.2 GB. */
  readonly alone: boolean;
}

/** Prompts end to end: prompt i is `ids[starts[i] … starts[i + 1])`. */
export interface WirePrompts {
  readonly ids: Int32Array;
  readonly counted: Uint8Array;
  /** Weight in the loss of what follows each token; absent where nothing is differentiated. */
  readonly weights?: Float32Array;
  readonly starts: Int32Array;
}

/** Slots of the shared control words: what the two threads tell each other while neither reads messages. */
export const CONTROL = {
  /** Main → worker: 1 asks the worker to stop before the next batch. */
  abort: 0,
  /** Main → worker: layers whose readings have been consumed. */
  consumed: 1,
  slots: 2,
} as const;

/** Layers whose readings may wait in the main thread before the worker pauses; bounds memory on a slow disk. */
export const LAYERS_IN_FLIGHT = 2;

export type ToWorker =
  | { readonly type: 'open'; readonly graph: WireGraph }
  | {
      readonly type: 'chunk';
      readonly program: readonly Step[];
      readonly prompts: WirePrompts;
      readonly batches: readonly (readonly number[])[];
      readonly residency: Residency;
      readonly control: Int32Array<SharedArrayBuffer>;
    };

export type FromWorker =
  | { readonly type: 'opened' }
  | {
      readonly type: 'layer';
      readonly layer: number;
      /** Reducing taps: output name and [prompt, width]. */
      readonly readings: readonly (readonly [string, Float32Array])[];
      /** Full taps: output name and one tensor a prompt. */
      readonly tensors: readonly (readonly [string, readonly Activation[]])[];
    }
  | { readonly type: 'progress'; readonly layer: number; readonly tokenLayers: number }
  | { readonly type: 'logits'; readonly tensors: readonly Activation[] }
  /** [prompt]: Σ weight × negative log-likelihood, in nats. */
  | { readonly type: 'losses'; readonly losses: Float64Array }
  | { readonly type: 'done' }
  | { readonly type: 'failed'; readonly failure: Failure };

/** `prompt` is an index that only the main thread can name. */
export type Failure =
  | { readonly kind: 'aborted' }
  | { readonly kind: 'shortened'; readonly file: WeightFile; readonly found: number }
  | {
      readonly kind: 'not-finite';
      readonly layer: number | null;
      readonly where: string;
      readonly prompt: number;
    }
  | {
      readonly kind: 'create' | 'run' | 'other';
      readonly layer: number | null;
      readonly details: ErrorDetails;
    };
