/**
 * The one thread that owns onnxruntime: creating a session and running it block the event loop for their whole
 * duration, so neither may happen where a progress bar is drawn or Ctrl-C is heard.
 */
import { parentPort, workerData } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import { type Batch, checkResidual, keepRows, keepTensors, WorkerFailure } from './collect.js';
import type { Residency } from './memory.js';
import {
  CONTROL,
  type Failure,
  type FromWorker,
  LAYERS_IN_FLIGHT,
  type ToWorker,
  type WireGraph,
  type WirePrompts,
  type WorkerSettings,
} from './protocol.js';
import type { Activation } from './types.js';

const settings = workerData as WorkerSettings;
// Failures come back as errors; onnxruntime would write them to standard error besides.
ort.env.logLevel = 'fatal';
const openSessions = new Map<string, ort.InferenceSession>();

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
  if (message.type === 'open') {
    const session = await createSession(message.graph, null, { resident: false, arena: false });
    await session.release();
    post({ type: 'opened' });
    return;
  }
  await runChunk(message);
  post({ type: 'done' });
}

async function runChunk(chunk: Extract<ToWorker, { type: 'chunk' }>): Promise<void> {
  const { prompts, taps, residency, control } = chunk;
  const batches = await embedBatches(chunk);
  let tokenLayers = 0;
  for (const [layer, graph] of chunk.layers.entries()) {
    await withSession(graph, layer, residency, async (session) => {
      const readings = new Map<string, Float32Array>();
      const tensors = new Map<string, Activation[]>();
      for (const batch of batches) {
        stopIfAborted(control);
        const outputs = await runLayer(session, graph, batch, layer);
        batch.hidden = outputs.next!.data as Float32Array;
        checkResidual(batch, layer);
        for (const tap of taps) {
          const output = outputs[tap.output]!;
          if (tap.statistic === 'full') keepTensors(tensors, tap, output, batch);
          else keepRows(readings, tap, output, batch, prompts.starts.length - 1, layer);
        }
        tokenLayers += batch.tokens;
        post({ type: 'progress', layer, tokenLayers });
      }
      waitForRoom(control, layer);
      postLayer(layer, readings, tensors);
    });
  }
  if (chunk.unembed !== null) await postLogits(chunk.unembed, batches, prompts, control, residency);
}

async function embedBatches(chunk: Extract<ToWorker, { type: 'chunk' }>): Promise<Batch[]> {
  const { prompts, embed, residency, control } = chunk;
  return withSession(embed, null, residency, async (session) => {
    const batches: Batch[] = [];
    for (const rows of chunk.batches) {
      stopIfAborted(control);
      const lengths = rows.map((row) => prompts.starts[row + 1]! - prompts.starts[row]!);
      const seq = Math.max(...lengths);
      const ids = new BigInt64Array(rows.length * seq); // padded with token 0, which no real token attends to
      const counted = new Float32Array(rows.length * seq);
      for (const [b, row] of rows.entries()) {
        const start = prompts.starts[row]!;
        for (let t = 0; t < lengths[b]!; t++) {
          ids[b * seq + t] = BigInt(prompts.ids[start + t]!);
          counted[b * seq + t] = prompts.counted[start + t]!;
        }
      }
      const feeds = { [embed.inputs[0]!]: new ort.Tensor('int64', ids, [rows.length, seq]) };
      const { hidden } = await session.run(feeds).catch((error: unknown) => {
        throw new WorkerFailure({ kind: 'run', layer: null, details: { what: messageOf(error) } });
      });
      batches.push({
        rows,
        lengths,
        seq,
        tokens: lengths.reduce((a, b) => a + b, 0),
        counted,
        hidden: hidden!.data as Float32Array,
        dModel: hidden!.dims[2]!,
      });
    }
    return batches;
  });
}

function runLayer(session: ort.InferenceSession, graph: WireGraph, batch: Batch, layer: number) {
  const { rows, seq, dModel } = batch;
  const feeds: Record<string, ort.Tensor> = {
    hidden: new ort.Tensor('float32', batch.hidden, [rows.length, seq, dModel]),
  };
  if (graph.inputs.includes('counted'))
    feeds.counted = new ort.Tensor('float32', batch.counted, [rows.length, seq]);
  return session.run(feeds).catch((error: unknown) => {
    const found = `a batch of ${rows.length} prompts of up to ${seq} tokens`;
    throw new WorkerFailure({ kind: 'run', layer, details: { what: messageOf(error), found } });
  });
}

/** One prompt at a time: a batch's logits at a vocabulary of 150,000 would be 1.2 GB. */
async function postLogits(
  graph: WireGraph,
  batches: readonly Batch[],
  prompts: WirePrompts,
  control: Int32Array,
  residency: Residency,
): Promise<void> {
  const tensors: Activation[] = new Array(prompts.starts.length - 1);
  await withSession(graph, null, residency, async (session) => {
    for (const { rows, lengths, seq, dModel, hidden } of batches) {
      for (const [b, row] of rows.entries()) {
        stopIfAborted(control);
        const length = lengths[b]!;
        const own = hidden.slice(b * seq * dModel, (b * seq + length) * dModel);
        const outputs = await session.run({ hidden: new ort.Tensor('float32', own, [1, length, dModel]) });
        const logits = outputs.logits!;
        tensors[row] = { dims: [length, logits.dims[2]!], values: logits.data as Float32Array };
      }
    }
  });
  post({ type: 'logits', tensors });
}

/** Runs `use` with the graph's session, and releases it afterwards unless it is to stay resident. */
async function withSession<T>(
  graph: WireGraph,
  layer: number | null,
  residency: Residency,
  use: (session: ort.InferenceSession) => Promise<T>,
): Promise<T> {
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
        session: {
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

function stopIfAborted(control: Int32Array): void {
  if (Atomics.load(control, CONTROL.abort) === 1) throw new WorkerFailure({ kind: 'aborted' });
}

/** Blocks until the main thread has taken all but the last few layers' readings. */
function waitForRoom(control: Int32Array, layer: number): void {
  for (;;) {
    stopIfAborted(control);
    const consumed = Atomics.load(control, CONTROL.consumed);
    if (layer - consumed < LAYERS_IN_FLIGHT) return;
    Atomics.wait(control, CONTROL.consumed, consumed, 100);
  }
}

function postLayer(
  layer: number,
  readings: Map<string, Float32Array>,
  tensors: Map<string, Activation[]>,
): void {
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
