import type { Tap } from '../hooks/index.js';

export type Device = 'cpu' | 'webgpu' | 'cuda';

/** A prompt ready to run. */
export interface TokenizedPrompt {
  readonly ids: Int32Array;
  /** 1 where the token counts, 0 elsewhere; same length as `ids`. */
  readonly counted: Uint8Array;
  /** Of a prompt that is differentiated: the weight in its loss of the token that follows each; 0 for the last. */
  readonly weights?: Float32Array;
}

export interface RunnerOptions {
  readonly device: Device;
  /** Intra-op threads; undefined: the number of physical cores the process may use. */
  readonly threads?: number | undefined;
  /** Bytes that weights, residual stream and work space together may take. */
  readonly memoryBytes: number;
}

/** Everything one layer recorded about a list of prompts. */
export interface LayerReadings {
  readonly layer: number;
  /** By `tapOutput(tap)`: [prompt, width], prompts in the order they were given. */
  readonly arrays: ReadonlyMap<string, Float32Array>;
}

export interface ChunkProgress {
  readonly layer: number;
  /** Tokens × layers done since the chunk began, padding not counted. */
  readonly tokenLayers: number;
}

export interface ChunkRequest {
  readonly prompts: readonly TokenizedPrompt[];
  /** Reducing taps only (no `full`). */
  readonly taps: readonly Tap[];
  /**
   * Called once a layer, in order. A promise holds the worker back once `LAYERS_IN_FLIGHT` are unsettled. What it throws ends
   * the chunk and is what `runChunk` rejects with.
   */
  readonly onLayer: (readings: LayerReadings) => void | Promise<void>;
  readonly onProgress?: (progress: ChunkProgress) => void;
  readonly signal?: AbortSignal | undefined;
  /** Names a prompt in errors; default `prompt 3`. */
  readonly describePrompt?: (prompt: number) => string;
}

/** Row-major, padding cut off. */
export interface Activation {
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

export interface PromptActivations {
  /**
   * By hook name with its layer, `blocks.{l}.mlp.hook_pre`, for `full` taps: [seq, …] (`attn.hook_pattern`:
   * [heads, seq, seq]); by `blocks.{l}.mlp.hook_pre/fire` and so on for reducing taps: [width].
   */
  readonly hooks: ReadonlyMap<string, Activation>;
  /** [seq, vocab]; null unless asked for. */
  readonly logits: Activation | null;
}

/** What a backward pass gives of a prompt. */
export interface PromptGradients {
  /** Σ weight × negative log-likelihood, in nats. */
  readonly loss: number;
  /** By hook name with its layer, with the statistic behind where it reduces: `blocks.3.mlp.hook_post/attribution.sum`. */
  readonly hooks: ReadonlyMap<string, Activation>;
}

export interface ActivationOptions {
  /** Run the unembedding too. Default false: it is neither built nor run. */
  readonly logits?: boolean;
  /** Layers to record the taps at; default all. Layers after the last that something is wanted of do not run. */
  readonly layers?: readonly number[] | undefined;
  /** Layers after which the residual stream is kept as it is, as `blocks.{l}.hook_resid_post`; costs no output of a graph. */
  readonly streams?: readonly number[] | undefined;
  readonly signal?: AbortSignal | undefined;
}
