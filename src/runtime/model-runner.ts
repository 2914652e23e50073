import type { WeightFile } from '../checkpoint/index.js';
import { InterruptedError, UsageError } from '../errors.js';
import { type GradientTap, type Tap, tapOutput } from '../hooks/index.js';
import type { Model } from '../models/index.js';
import { physicalCores } from './machine.js';
import { batchTokens, planBatches } from './memory/batches.js';
import { chooseResidency, memoryNeeds, workersThatFit } from './memory/memory.js';
import { dealBatches, Gathering, type Share } from './memory/shares.js';
import { forbidTelemetry } from './onnxruntime.js';
import {
  backwardProgramOf,
  batchingOf,
  type ProgramRequest,
  programOf,
  rememberGraphs,
  wire,
} from './program.js';
import { checkPrompt, keepByPrompt, meanWeights, wirePrompts } from './prompts.js';
import type {
  Activation,
  ActivationOptions,
  ChunkProgress,
  ChunkRequest,
  Device,
  PromptActivations,
  PromptGradients,
  RunnerOptions,
  TokenizedPrompt,
} from './types.js';
import { explainFailure, FailureMessage, interrupted, unavailableDevice } from './worker/failures.js';
import { WorkerHandle } from './worker/handle.js';
import { CONTROL, type FromWorker, type Step, type ToWorker } from './worker/protocol.js';

type WorkerChunk = Extract<ToWorker, { type: 'chunk' }>;
type LayerMessage = Extract<FromWorker, { type: 'layer' }>;

/** Where a model's weights lie: a checkpoint is one. */
export interface WeightsFolder {
  readonly weightsRoot: string;
  /** Files that weights are mapped from. Default: none is watched. */
  readonly weights?: readonly WeightFile[] | undefined;
}

/** A caller's request for one pass over a list of prompts. */
interface Pass extends Pick<ProgramRequest, 'taps' | 'logits'> {
  readonly program: () => readonly Step[];
  readonly prompts: readonly TokenizedPrompt[];
  readonly signal: AbortSignal | undefined;
  readonly describePrompt: (prompt: number) => string;
  readonly onLayer: (message: LayerMessage) => void | Promise<void>;
  readonly onProgress: (progress: ChunkProgress) => void;
  readonly onLogits?: (tensors: readonly Activation[]) => void;
  readonly onLosses?: (losses: Float64Array) => void;
}

/**
 * Runs prompts through a model, layer after layer, in worker threads of its own; this thread's event loop stays free.
 * One list of prompts runs at a time; later calls wait. Close it when done.
 */
export class ModelRunner {
  /** Threads that compute, over all workers. */
  readonly threads: number;
  readonly #model: Model;
  readonly #weightsRoot: string;
  readonly #weights: readonly WeightFile[];
  readonly #device: Device;
  readonly #memoryBytes: number;
  #workers: readonly WorkerHandle[] = [];
  #closed: InterruptedError | null = null;
  #queue: Promise<unknown> = Promise.resolve();

  private constructor({ weightsRoot, weights = [] }: WeightsFolder, model: Model, options: RunnerOptions) {
    this.threads = options.threads ?? physicalCores();
    this.#model = rememberGraphs(model);
    this.#weightsRoot = weightsRoot;
    this.#weights = weights;
    this.#device = options.device;
    this.#memoryBytes = options.memoryBytes;
  }

  /**
   * @throws UsageError if the device's execution provider cannot be loaded
   */
  static async start(checkpoint: WeightsFolder, model: Model, options: RunnerOptions): Promise<ModelRunner> {
    const runner = new ModelRunner(checkpoint, model, options);
    if (options.device === 'cpu') return runner;
    try {
      const graph = model.kind === 'whole' ? model.graph([], true) : model.embed();
      const [worker] = await runner.#team(1, 1);
      await worker!.send({ type: 'open', graph: wire('first', graph) }, () => {});
      return runner;
    } catch (error) {
      await runner.close();
      throw unavailableDevice(options.device, error);
    }
  }

  /**
   * Runs the prompts and hands over each layer's readings as it is done. The order of prompts is kept; which prompts
   * share a batch depends on their lengths alone.
   *
   * @throws UsageError for a `full` tap; InputError for a token the embedding lacks; InterruptedError on abort;
   *   CheckpointError if a layer yields NaN or infinity; RunnerError, naming the layer, if onnxruntime fails
   */
  async runChunk(request: ChunkRequest): Promise<void> {
    const full = request.taps.find((tap) => tap.statistic === 'full');
    if (full !== undefined) {
      throw new UsageError({
        what: 'a chunk takes only taps that reduce',
        where: tapOutput(full),
        remedy: 'use activations() for full tensors',
      });
    }
    await this.#run({
      prompts: request.prompts,
      taps: request.taps,
      logits: false,
      program: () => programOf(this.#model, { taps: request.taps, logits: false }),
      signal: request.signal,
      describePrompt: request.describePrompt ?? ((prompt) => `prompt ${prompt}`),
      onLayer: ({ layer, readings }) => request.onLayer({ layer, arrays: new Map(readings) }),
      onProgress: request.onProgress ?? (() => {}),
    });
  }

  /**
   * The values of every prompt at every layer at the given taps, `full` ones included: for looking closely at a few
   * prompts. Takes prompts × layers × width of memory; use `runChunk` for many.
   */
  async activations(
    prompts: readonly TokenizedPrompt[],
    taps: readonly Tap[],
    { logits = false, layers, streams, signal }: ActivationOptions = {},
  ): Promise<PromptActivations[]> {
    const hooks = prompts.map(() => new Map<string, Activation>());
    let logitsOf: readonly Activation[] | null = null;
    await this.#run({
      prompts,
      taps,
      logits,
      program: () => programOf(this.#model, { taps, logits, layers, streams }),
      signal,
      describePrompt: (prompt) => `prompt ${prompt}`,
      onLayer: (message) => keepByPrompt(hooks, message),
      onProgress: () => {},
      onLogits: (tensors) => {
        logitsOf = tensors;
      },
    });
    return hooks.map((map, i) => ({ hooks: map, logits: logitsOf?.[i] ?? null }));
  }

  /**
   * The loss of every prompt, as its `weights` say or the mean over its tokens but the first, and its gradient at the given
   * taps. The residual stream of every layer from the lowest of `layers` on is kept for the backward pass: layers ×
   * tokens × width.
   *
   * @throws UsageError for a prompt of one token without `weights`, or a graph of another exporter; others as `runChunk`
   */
  async gradients(
    prompts: readonly TokenizedPrompt[],
    taps: readonly GradientTap[],
    { layers, signal }: Pick<ActivationOptions, 'layers' | 'signal'> = {},
  ): Promise<PromptGradients[]> {
    const weighed = prompts.map((prompt, i) => {
      if (prompt.weights !== undefined) return prompt;
      if (prompt.ids.length > 1) return { ...prompt, weights: meanWeights(prompt.ids.length) };
      throw new UsageError({
        what: 'a prompt of one token has no next one to predict',
        where: `prompt ${i}`,
      });
    });
    const wanted = layers ?? [...Array(this.#model.shape.layers).keys()];
    const hooks = prompts.map(() => new Map<string, Activation>());
    let lossOf: Float64Array = new Float64Array(prompts.length);
    await this.#run({
      prompts: weighed,
      taps: [],
      logits: false,
      program: () => backwardProgramOf(this.#model, taps, wanted, this.#memoryBytes),
      signal,
      describePrompt: (prompt) => `prompt ${prompt}`,
      onLayer: (message) => keepByPrompt(hooks, message),
      onProgress: () => {},
      onLosses: (losses) => {
        lossOf = losses;
      },
    });
    return hooks.map((map, i) => ({ loss: lossOf[i]!, hooks: map }));
  }

  /** Ends the workers, whatever they are doing; what waits for them is rejected. */
  async close(): Promise<void> {
    this.#closed ??= new InterruptedError({ what: 'the runner was closed' });
    await this.#end(this.#workers, this.#closed);
  }

  #run(pass: Pass): Promise<void> {
    const turn = this.#queue.then(() => this.#runNow(pass));
    this.#queue = turn.catch(() => {});
    return turn;
  }

  async #runNow(pass: Pass): Promise<void> {
    const { prompts, signal } = pass;
    if (signal?.aborted) throw interrupted(signal);
    if (prompts.length === 0) throw new UsageError({ what: 'there are no prompts to run' });
    const model = this.#model;
    const most = model.kind === 'layered' ? model.mostPositions : null;
    for (const [i, prompt] of prompts.entries())
      checkPrompt(prompt, model.shape.vocab, most, pass.describePrompt(i));
    const control = new Int32Array(new SharedArrayBuffer(CONTROL.slots * Int32Array.BYTES_PER_ELEMENT));
    const tell = (slot: number, value: number) => {
      Atomics.store(control, slot, value);
      Atomics.notify(control, CONTROL.consumed);
    };
    const errors: unknown[] = [];
    const stop = () => tell(CONTROL.abort, 1);
    const fail = (error: unknown) => {
      errors.push(error);
      stop();
    };
    let consumed: Promise<void> = Promise.resolve();
    let taken = 0;
    const consume = async (message: LayerMessage, before: Promise<void>) => {
      try {
        await Promise.all([before, pass.onLayer(message)]);
        tell(CONTROL.consumed, ++taken);
      } catch (error) {
        fail(error);
      }
    };
    const { workers, chunks, shares } = await this.#plan(pass, control);
    const gathering = new Gathering(shares);
    const runShare = async (chunk: WorkerChunk, share: number) => {
      try {
        await workers[share]!.send(chunk, (message) => {
          if (errors.length > 0) return;
          if (message.type === 'progress') {
            const { layer, tokenLayers } = message;
            pass.onProgress({ layer, tokenLayers: gathering.progress(share, tokenLayers) });
          }
          if (message.type === 'logits') pass.onLogits?.(gathering.logits(share, message.tensors));
          if (message.type === 'losses') pass.onLosses?.(gathering.losses(share, message.losses));
          if (message.type !== 'layer') return;
          const whole = gathering.layer(share, message);
          if (whole !== null) consumed = consume(whole, consumed);
        });
      } catch (error) {
        fail(error instanceof FailureMessage ? this.#explain(error, pass, shares[share]!) : error);
      }
    };
    if (signal?.aborted) stop();
    signal?.addEventListener('abort', stop, { once: true });
    // All of them, so that none is still running when the next list of prompts has its turn.
    await Promise.all(chunks.map(runShare));
    await consumed;
    signal?.removeEventListener('abort', stop);
    // The first: those after it may be of workers that it stopped.
    if (errors.length > 0) throw errors[0];
  }

  #explain({ failure }: FailureMessage, pass: Pass, { prompts }: Share): Error {
    const describePrompt = (row: number) => pass.describePrompt(prompts[row]!);
    return explainFailure(failure, { signal: pass.signal, describePrompt, model: this.#model });
  }

  /** Which workers run which prompts, and how. */
  async #plan(
    { prompts, taps, logits, program: programOfPass }: Pass,
    control: Int32Array<SharedArrayBuffer>,
  ) {
    const lengths = prompts.map(({ ids }) => ids.length);
    const tokens = lengths.reduce((a, b) => a + b, 0);
    const needs = memoryNeeds(this.#model, taps, {
      longestPrompt: Math.max(...lengths),
      tokensPerPrompt: tokens / prompts.length,
    });
    const batches = planBatches(lengths, {
      batching: batchingOf(this.#model, logits),
      batchTokens: batchTokens(this.#model, this.#device),
    });
    const fit = this.#device === 'cpu' ? workersThatFit(needs, tokens, this.#memoryBytes) : 1;
    const workers = await this.#team(fit, batches.length);
    const shares = dealBatches(batches, lengths, workers.length);
    const program = programOfPass();
    const residency = chooseResidency(needs, tokens, this.#memoryBytes);
    const chunks = shares.map(
      (share): WorkerChunk => ({
        type: 'chunk',
        program,
        prompts: wirePrompts(share.prompts.map((prompt) => prompts[prompt]!)),
        batches: share.batches,
        residency,
        control,
      }),
    );
    return { workers, chunks, shares };
  }

  /** Those there are, unless fewer fit by now; else as many as fit and have a batch to run. */
  async #team(fit: number, batches: number): Promise<readonly WorkerHandle[]> {
    if (this.#closed !== null) throw this.#closed;
    if (this.#workers.length > 0 && this.#workers.length <= fit) return this.#workers;
    await this.#end(this.#workers, new InterruptedError({ what: 'fewer workers go on' }));
    await forbidTelemetry();
    const workers = Math.min(fit, batches, this.threads);
    const settings = {
      weightsRoot: this.#weightsRoot,
      weights: this.#weights,
      device: this.#device,
      threads: Math.floor(this.threads / workers),
    };
    this.#workers = Array.from({ length: workers }, () => new WorkerHandle(settings));
    return this.#workers;
  }

  async #end(workers: readonly WorkerHandle[], reason: Error): Promise<void> {
    await Promise.all(workers.map((worker) => worker.close(reason)));
  }
}
