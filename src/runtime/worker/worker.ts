import { statSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import type * as Onnxruntime from 'onnxruntime-node';
import type { Residency } from '../memory/memory.js';
import { onnxruntime } from '../onnxruntime.js';
import type { Activation } from '../types.js';
import {
  checkStream,
  keepLogits,
  keepLosses,
  LayerRecord,
  onePromptEach,
  type RunningBatch,
  readBatch,
  startBatch,
  WorkerFailure,
} from './collect.js';
import {
  CONTROL,
  type Failure,
  type FromWorker,
  LAYERS_IN_FLIGHT,
  type Slot,
  type Step,
  type ToWorker,
  type WireGraph,
  type WorkerSettings,
} from './protocol.js';

type Chunk = Extract<ToWorker, { type: 'chunk' }>;

const settings = workerData as WorkerSettings;
let ort: typeof Onnxruntime;
const openSessions = new Map<string, Onnxruntime.InferenceSession>();

// Deno delivers a message that comes before there is a listener to nobody: nothing is waited for before this line.
parentPort!.on('message', (message: ToWorker) => {
  handle(message).catch((error: unknown) => {
    const failure: Failure =
      error instanceof WorkerFailure
        ? error.failure
        : { kind: 'other', layer: null, details: { what: messageOf(error) } };
    post({ type: 'failed', failure });
  });
});

async function handle(message: ToWorker): Promise<void> {
  ort ??= await loadOnnxruntime();
  if (message.type === 'open') {
    const session = await createSession(message.graph, null, { resident: false, arena: false });
    await session.release();
    post({ type: 'opened' });
    return;
  }
  await runChunk(message);
  post({ type: 'done' });
}

async function loadOnnxruntime(): Promise<typeof Onnxruntime> {
  const loaded = await onnxruntime(true);
  // Failures come back as errors; onnxruntime would write them to standard error besides.
  loaded.env.logLevel = 'fatal';
  return loaded;
}

async function runChunk({ program, prompts, batches: rows, residency, control }: Chunk): Promise<void> {
  const batches = rows.map((own) => startBatch(readBatch(prompts, own)));
  let tokenLayers = 0;
  let posted = 0;
  for (const step of program) {
    const { graph, layer, computes, kept } = step;
    const records = new Map(computes.map((computed) => [computed, new LayerRecord()]));
    const logits: Activation[] = new Array(prompts.starts.length - 1);
    const losses = new Float64Array(prompts.starts.length - 1);
    await withSession(graph, layer, residency, async (session) => {
      for (const running of step.alone ? onePromptEach(batches, ort.Tensor) : batches) {
        stopIfAborted(control);
        const feeds = feedsOf(step, running);
        const outputs =
          step.rows === null
            ? await run(session, feeds, layer)
            : await runInRows(step.rows, feeds, (part) => run(session, part, layer));
        keepStreams(step, running, outputs);
        for (const one of kept) records.get(one.layer)!.keep(one, outputs[one.output]!, running, prompts);
        if (step.logits !== null) keepLogits(logits, outputs[step.logits]!, running);
        if (step.loss !== null) keepLosses(losses, outputs[step.loss]!.data as Float32Array, running);
        if (computes.length === 0) continue;
        tokenLayers += running.tokens * computes.length;
        post({ type: 'progress', layer: computes.at(-1)!, tokenLayers });
      }
    });
    for (const [computed, record] of records) {
      waitForRoom(control, posted++);
      postLayer(computed, record);
    }
    if (step.logits !== null) post({ type: 'logits', tensors: logits });
    if (step.loss !== null) post({ type: 'losses', losses });
  }
}

type Tensors = Readonly<Record<string, Onnxruntime.Tensor>>;

function feedsOf({ reads, layer }: Step, batch: RunningBatch): Tensors {
  const { rows, seq, lengths, ids } = batch;
  const dims = [rows.length, seq];
  const slots: Readonly<Record<Slot, () => Onnxruntime.Tensor>> = {
    ids: () => new ort.Tensor('int64', ids, dims),
    counted: () => new ort.Tensor('float32', batch.counted, dims),
    lengths: () => new ort.Tensor('int64', BigInt64Array.from(lengths, BigInt), [rows.length]),
    stream: () => batch.stream!,
    saved: () => batch.saved.get(layer!)!,
    gradient: () => batch.gradient!,
    // Behind the last token of a batch stands any: its weight is 0.
    targets: () => new ort.Tensor('int64', BigInt64Array.of(...ids.subarray(1), 0n), dims),
    weights: () => new ort.Tensor('float32', batch.weights, dims),
  };
  return Object.fromEntries(Object.entries(reads).map(([input, slot]) => [input, slots[slot]()]));
}

/** Moves the stream and the gradient on, and keeps or forgets what the layer read. */
function keepStreams({ writes, saves, reads, layer }: Step, running: RunningBatch, outputs: Tensors): void {
  if (saves) running.saved.set(layer!, running.stream!);
  if (Object.values(reads).includes('saved')) running.saved.delete(layer!);
  if (writes === null) return;
  running[writes.slot] = outputs[writes.output]!;
  if (layer !== null) checkStream(running, writes.slot, layer);
}

/** Runs a graph that treats every token by itself on some tokens after the other. Inputs and outputs are [batch, seq, …]. */
async function runInRows(
  count: number,
  feeds: Tensors,
  run: (part: Tensors) => Promise<Tensors>,
): Promise<Tensors> {
  const [batch, seq] = Object.values(feeds)[0]!.dims as [number, number];
  const whole = new Map<string, { readonly dims: readonly number[]; readonly data: Float32Array }>();
  for (let start = 0; start < batch * seq; start += count) {
    const size = Math.min(count, batch * seq - start);
    const part = Object.entries(feeds).map(([name, { type, data, dims }]) => {
      const width = dims.slice(2).reduce((a, b) => a * b, 1);
      const own = (data as Float32Array).subarray(start * width, (start + size) * width);
      return [name, new ort.Tensor(type as 'float32', own, [1, size, ...dims.slice(2)])] as const;
    });
    for (const [name, { data, dims }] of Object.entries(await run(Object.fromEntries(part)))) {
      const width = dims.slice(2).reduce((a, b) => a * b, 1);
      const all = whole.get(name) ?? {
        dims: [batch, seq, ...dims.slice(2)],
        data: new Float32Array(batch * seq * width),
      };
      whole.set(name, all);
      all.data.set(data as Float32Array, start * width);
    }
  }
  return Object.fromEntries(
    [...whole].map(([name, { dims, data }]) => [name, new ort.Tensor('float32', data, dims)]),
  );
}

function run(session: Onnxruntime.InferenceSession, feeds: Tensors, layer: number | null): Promise<Tensors> {
  return session.run(feeds).catch((error: unknown) => {
    const [rows, seq] = Object.values(feeds)[0]!.dims;
    const found = `a batch of ${rows} prompts of up to ${seq} tokens`;
    throw new WorkerFailure({ kind: 'run', layer, details: { what: messageOf(error), found } });
  });
}

/** Runs `use` with the graph's session, and releases it afterwards unless it is to stay resident. */
async function withSession<T>(
  graph: WireGraph,
  layer: number | null,
  residency: Residency,
  use: (session: Onnxruntime.InferenceSession) => Promise<T>,
): Promise<T> {
  checkSizes();
  let session = openSessions.get(graph.key);
  if (session === undefined) {
    session = await createSession(graph, layer, residency);
    if (residency.resident) openSessions.set(graph.key, session);
  }
  try {
    return await use(session);
  } finally {
    if (!residency.resident) {
      openSessions.delete(graph.key);
      await session.release();
    }
  }
}

/** Reading a mapped page that its file no longer has ends the process (SIGBUS): what can be seen beforehand is. */
function checkSizes(): void {
  for (const file of settings.weights) {
    const found = statSync(file.path, { throwIfNoEntry: false })?.size ?? 0;
    if (found < file.bytes) throw new WorkerFailure({ kind: 'shortened', file, found });
  }
}

async function createSession(graph: WireGraph, layer: number | null, { arena }: Residency) {
  try {
    return await ort.InferenceSession.create(graph.bytes, {
      executionProviders: settings.device === 'cpu' ? ['cpu'] : [settings.device, 'cpu'],
      intraOpNumThreads: settings.threads,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      // One level for resident and passing layers alike: it decides which operators are fused, hence the last bits.
      graphOptimizationLevel: GRAPH_OPTIMIZATION,
      enableCpuMemArena: arena,
      enableMemPattern: arena,
      logSeverityLevel: 4,
      extra: {
        ...(graph.convertsAtRun && CONVERT_AT_RUN.extra),
        session: {
          ...(graph.convertsAtRun && CONVERT_AT_RUN.session),
          model_external_initializers_file_folder_path: settings.weightsRoot,
          // Threads that wait by spinning took 40 % more processor time and, on a busy machine, 30 % more wall time.
          intra_op: { allow_spinning: '0' },
        },
      },
    });
  } catch (error) {
    throw new WorkerFailure({ kind: 'create', layer, details: { what: messageOf(error) } });
  }
}

const GRAPH_OPTIMIZATION = 'basic';

/**
 * Weights stay mapped and are converted where they are used: neither folded into float32 constants nor packed. A layer of 32
 * experts, 1,056 MB of bfloat16, ran in 0.4 GB besides the mapping; as float32 it would be 2.1 GB.
 */
const CONVERT_AT_RUN = {
  extra: { optimization: { disable_specified_optimizers: 'ConstantFolding' } },
  session: { disable_prepacking: '1' },
} as const;

function stopIfAborted(control: Int32Array): void {
  if (Atomics.load(control, CONTROL.abort) === 1) throw new WorkerFailure({ kind: 'aborted' });
}

/** Blocks until the main thread has taken all but the last few of so many layers' readings. */
function waitForRoom(control: Int32Array, posted: number): void {
  for (;;) {
    stopIfAborted(control);
    const consumed = Atomics.load(control, CONTROL.consumed);
    if (posted - consumed < LAYERS_IN_FLIGHT) return;
    Atomics.wait(control, CONTROL.consumed, consumed, 100);
  }
}

function postLayer(layer: number, { readings, tensors }: LayerRecord): void {
  post({ type: 'layer', layer, readings: [...readings], tensors: [...tensors] }, [
    ...[...readings.values()].map((values) => values.buffer as ArrayBuffer),
    ...[...tensors.values()].flatMap((perPrompt) =>
      perPrompt.map(({ values }) => values.buffer as ArrayBuffer),
    ),
  ]);
}

function post(message: FromWorker, transfer: readonly ArrayBuffer[] = []): void {
  parentPort!.postMessage(message, transfer);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
