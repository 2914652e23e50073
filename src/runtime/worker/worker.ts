import { parentPort, workerData } from 'node:worker_threads';
import * as ort from 'onnxruntime-node';
import { WHOLE_INPUTS, WHOLE_LOGITS } from '../../models/index.js';
import type { Residency } from '../memory/memory.js';
import type { Activation } from '../types.js';
import {
  type Batch,
  checkResidual,
  keepLogits,
  type LayerBatch,
  LayerRecord,
  readBatch,
  WorkerFailure,
} from './collect.js';
import {
  CONTROL,
  type Failure,
  type FromWorker,
  LAYERS_IN_FLIGHT,
  type ToWorker,
  type WireGraph,
  type WireProgram,
  type WirePrompts,
  type WorkerSettings,
} from './protocol.js';

/**
 * The one thread that owns onnxruntime: creating a session and running it block the event loop for their whole
 * duration, so neither may happen where a progress bar is drawn or Ctrl-C is heard.
 */

type Chunk = Extract<ToWorker, { type: 'chunk' }>;
type LayeredProgram = Extract<WireProgram, { kind: 'layered' }>;
type WholeProgram = Extract<WireProgram, { kind: 'whole' }>;

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

async function runChunk(chunk: Chunk): Promise<void> {
  const { program } = chunk;
  if (program.kind === 'whole') await runWhole(chunk, program);
  else await runLayers(chunk, program);
}

async function runLayers(chunk: Chunk, { embed, layers, unembed }: LayeredProgram): Promise<void> {
  const { prompts, taps, residency, control } = chunk;
  const batches = await embedBatches(chunk, embed);
  let tokenLayers = 0;
  for (const [layer, graph] of layers.entries()) {
    await withSession(graph, layer, residency, async (session) => {
      const record = new LayerRecord();
      for (const batch of batches) {
        stopIfAborted(control);
        const outputs = await runLayer(session, graph, batch, layer);
        batch.hidden = outputs.next!.data as Float32Array;
        checkResidual(batch, layer);
        for (const tap of taps) {
          const output = outputs[tap.output];
          // Absent where the hook is one that other layers have.
          if (output !== undefined) record.keep(tap, output, batch, prompts, layer);
        }
        tokenLayers += batch.tokens;
        post({ type: 'progress', layer, tokenLayers });
      }
      waitForRoom(control, layer);
      postLayer(layer, record);
    });
  }
  if (unembed !== null) await postLogits(unembed, batches, prompts, control, residency);
}

/** Every layer's readings of the whole chunk are there before the first layer's are handed over. */
async function runWhole(chunk: Chunk, { graph, layers, logits }: WholeProgram): Promise<void> {
  const { prompts, taps, residency, control } = chunk;
  const records = Array.from({ length: layers }, () => new LayerRecord());
  const logitsOf: Activation[] = new Array(prompts.starts.length - 1);
  let tokenLayers = 0;
  await withSession(graph, null, residency, async (session) => {
    for (const rows of chunk.batches) {
      stopIfAborted(control);
      const batch = readBatch(prompts, rows);
      const dims = [rows.length, batch.seq];
      const feeds: Record<string, ort.Tensor> = {
        [WHOLE_INPUTS.ids]: new ort.Tensor('int64', batch.ids, dims),
        [WHOLE_INPUTS.counted]: new ort.Tensor('float32', batch.counted, dims),
      };
      const outputs = await run(session, pick(feeds, graph.inputs), batch, null);
      for (const [layer, record] of records.entries()) {
        for (const tap of taps) {
          record.keep(tap, outputs[`blocks.${layer}.${tap.output}`]!, batch, prompts, layer);
        }
      }
      if (logits) keepLogits(logitsOf, outputs[WHOLE_LOGITS]!, batch);
      tokenLayers += batch.tokens * layers;
      post({ type: 'progress', layer: layers - 1, tokenLayers });
    }
  });
  for (const [layer, record] of records.entries()) {
    waitForRoom(control, layer);
    postLayer(layer, record);
  }
  if (logits) post({ type: 'logits', tensors: logitsOf });
}

async function embedBatches(chunk: Chunk, embed: WireGraph): Promise<LayerBatch[]> {
  const { prompts, residency, control } = chunk;
  return withSession(embed, null, residency, async (session) => {
    const batches: LayerBatch[] = [];
    for (const rows of chunk.batches) {
      stopIfAborted(control);
      const batch = readBatch(prompts, rows);
      const ids = new ort.Tensor('int64', batch.ids, [rows.length, batch.seq]);
      const { hidden } = await run(session, { [embed.inputs[0]!]: ids }, batch, null);
      batches.push({ ...batch, hidden: hidden!.data as Float32Array, dModel: hidden!.dims[2]! });
    }
    return batches;
  });
}

function runLayer(session: ort.InferenceSession, graph: WireGraph, batch: LayerBatch, layer: number) {
  const { rows, seq, dModel } = batch;
  const feeds: Record<string, ort.Tensor> = {
    hidden: new ort.Tensor('float32', batch.hidden, [rows.length, seq, dModel]),
    counted: new ort.Tensor('float32', batch.counted, [rows.length, seq]),
    lengths: new ort.Tensor('int64', BigInt64Array.from(batch.lengths, BigInt), [rows.length]),
  };
  return run(session, pick(feeds, graph.inputs), batch, layer);
}

function pick<T>(from: Readonly<Record<string, T>>, names: readonly string[]): Record<string, T> {
  return Object.fromEntries(names.map((name) => [name, from[name]!]));
}

function run(
  session: ort.InferenceSession,
  feeds: Record<string, ort.Tensor>,
  { rows, seq }: Batch,
  layer: number | null,
) {
  return session.run(feeds).catch((error: unknown) => {
    const found = `a batch of ${rows.length} prompts of up to ${seq} tokens`;
    throw new WorkerFailure({ kind: 'run', layer, details: { what: messageOf(error), found } });
  });
}

/** One prompt at a time: a batch's logits at a vocabulary of 150,000 would be 1.2 GB. */
async function postLogits(
  graph: WireGraph,
  batches: readonly LayerBatch[],
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

/** Blocks until the main thread has taken all but the last few layers' readings. */
function waitForRoom(control: Int32Array, layer: number): void {
  for (;;) {
    stopIfAborted(control);
    const consumed = Atomics.load(control, CONTROL.consumed);
    if (layer - consumed < LAYERS_IN_FLIGHT) return;
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
