import type { CaptureProgress } from './types.js';

/** Progress is told at most this often; a tiny model finishes a batch every few milliseconds. */
const INTERVAL_MS = 100;

/** Turns batches done into a rate and the time left. */
export class ProgressMeter {
  readonly #total: number;
  readonly #found: number;
  readonly #layers: number;
  readonly #chunks: number;
  readonly #tell: (progress: CaptureProgress) => void;
  readonly #started = performance.now();
  #finished = 0;
  #told = Number.NEGATIVE_INFINITY;

  /** @param found tokens of parts that an earlier call had finished */
  constructor(
    total: number,
    found: number,
    layers: number,
    chunks: number,
    tell: (progress: CaptureProgress) => void = () => {},
  ) {
    this.#total = total;
    this.#found = found;
    this.#layers = layers;
    this.#chunks = chunks;
    this.#tell = tell;
  }

  advance(chunk: number, layer: number, tokenLayers: number): void {
    const now = performance.now();
    const done = this.#finished + tokenLayers / this.#layers;
    const isLast = this.#found + done >= this.#total;
    if (now - this.#told < INTERVAL_MS && !isLast) return;
    this.#told = now;
    const rate = (1000 * done) / (now - this.#started);
    this.#tell({
      tokensDone: Math.round(this.#found + done),
      tokensTotal: this.#total,
      tokensPerSecond: rate,
      secondsLeft: rate > 0 ? (this.#total - this.#found - done) / rate : null,
      layer,
      layers: this.#layers,
      chunk,
      chunks: this.#chunks,
    });
  }

  finishChunk(tokens: number): void {
    this.#finished += tokens;
  }
}
