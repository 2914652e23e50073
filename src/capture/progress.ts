import { cpus } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { RunError } from '../errors.js';
import { readJson } from '../read-json.js';
import { writeJson } from '../store/index.js';
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

const timingSchema = z.object({
  device: z.string(),
  threads: z.number(),
  node: z.string(),
  platform: z.string(),
  cpu: z.string(),
  chunks: z.number(),
  /** Prompt tokens run, counted or not, padding aside. */
  tokens: z.number(),
  seconds: z.number(),
  tokensPerSecond: z.number(),
  /** Wall-clock seconds each layer took, over all chunks. */
  layerSeconds: z.array(z.number()),
  /** Largest memory the process had, of whatever kind. */
  peakMemoryBytes: z.number(),
});

/** One call's share in a run. */
export type Timing = z.infer<typeof timingSchema>;

/**
 * Measures the calls that made a run. Kept apart from everything else in it, which is the same bytes whenever and
 * wherever it is made.
 */
export class Stopwatch {
  readonly #started = performance.now();
  readonly #layerSeconds: number[];
  #lastLayer = performance.now();
  #tokens = 0;
  #chunks = 0;

  constructor(layers: number) {
    this.#layerSeconds = new Array<number>(layers).fill(0);
  }

  startChunk(): void {
    this.#lastLayer = performance.now();
  }

  finishLayer(layer: number): void {
    const now = performance.now();
    this.#layerSeconds[layer]! += (now - this.#lastLayer) / 1000;
    this.#lastLayer = now;
  }

  finishChunk(tokens: number): void {
    this.#chunks++;
    this.#tokens += tokens;
  }

  timing(device: string, threads: number): Timing {
    const seconds = (performance.now() - this.#started) / 1000;
    const round = (value: number) => Math.round(value * 1000) / 1000;
    return {
      device,
      threads,
      node: process.version,
      platform: `${process.platform} ${process.arch}`,
      cpu: cpus()[0]?.model.trim() ?? 'unknown',
      chunks: this.#chunks,
      tokens: this.#tokens,
      seconds: round(seconds),
      tokensPerSecond: round(this.#tokens / seconds),
      layerSeconds: this.#layerSeconds.map(round),
      peakMemoryBytes: process.resourceUsage().maxRSS * 1024,
    };
  }
}

/** Adds a call's timing to `timings.json`; a shard's to `2-of-8.timings.json`, so that shards do not overwrite each other's. */
export async function appendTiming(
  folder: string,
  timing: Timing,
  shard: { readonly index: number; readonly count: number } | undefined,
): Promise<void> {
  const name = shard === undefined ? 'timings.json' : `${shard.index}-of-${shard.count}.timings.json`;
  const path = join(folder, name);
  const earlier = z.array(timingSchema).safeParse(await readEarlier(path));
  const timings = [...(earlier.success ? earlier.data : []), timing];
  await writeJson(path, timings);
}

/** null where there are no earlier timings, or none that can be read. */
function readEarlier(path: string): Promise<unknown> {
  return readJson(path, 'delete it', RunError).catch(() => null);
}
