import type { Tap } from '../hooks/taps.js';

export type Device = 'cpu' | 'webgpu' | 'cuda';

/** A prompt ready to run. */
export interface TokenizedPrompt {
  readonly ids: Int32Array;
  /** 1 where the token counts, 0 elsewhere; same length as `ids`. */
  readonly counted: Uint8Array;
}

export interface RunnerOptions {
  readonly device: Device;
  /** Intra-op threads; undefined: the number of physical cores the process may use. */
  readonly threads?: number;
  /** What weights, residual stream and work space together may take. */
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
  readonly onLayer: (readings: LayerReadings) => void;
  readonly onProgress?: (progress: ChunkProgress) => void;
  readonly signal?: AbortSignal;
}
