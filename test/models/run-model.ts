import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { onTestFinished } from 'vitest';
import type { Checkpoint } from '../../src/checkpoint/types.js';
import type { Tap } from '../../src/hooks/taps.js';
import type { LayeredModel, ModelGraph } from '../../src/models/types.js';
import { InferenceSession, Tensor } from '../support/onnxruntime.js';

export interface Prompts {
  readonly batch: number;
  readonly seq: number;
  /** [batch, seq], right-padded. */
  readonly ids: BigInt64Array;
  /** [batch, seq] */
  readonly counted: Float32Array;
  /** [batch], without padding */
  readonly lengths: readonly number[];
}

export interface Outputs {
  /** Of each layer, by output name. */
  readonly layers: readonly ReadonlyMap<string, Float32Array>[];
  /** [batch, seq, vocab] */
  readonly logits: Float32Array;
}

/** Runs a model's graphs one after the other in this process. */
export async function runModel(
  checkpoint: Checkpoint,
  model: LayeredModel,
  prompts: Prompts,
  tapsOf: (layer: number) => readonly Tap[],
): Promise<Outputs> {
  const { batch, seq } = prompts;
  const run = (graph: ModelGraph, feeds: Record<string, Tensor>): Promise<Record<string, Tensor>> =>
    runGraph(graph, checkpoint.weightsRoot, feeds);
  const counted = new Tensor('float32', prompts.counted, [batch, seq]);
  const lengths = new Tensor('int64', BigInt64Array.from(prompts.lengths, BigInt), [batch]);
  const embedded = await run(model.embed(), { input_ids: new Tensor('int64', prompts.ids, [batch, seq]) });
  let hidden = embedded.hidden!;
  const layers: Map<string, Float32Array>[] = [];
  for (let layer = 0; layer < model.shape.layers; layer++) {
    const outputs = await run(model.layer(layer, tapsOf(layer)), { hidden, counted, lengths });
    hidden = outputs.next!;
    layers.push(
      new Map(Object.entries(outputs).map(([name, tensor]) => [name, tensor.data as Float32Array] as const)),
    );
  }
  const { logits } = await run(model.unembed(), { hidden });
  return { layers, logits: logits!.data as Float32Array };
}

export async function runGraph(
  graph: ModelGraph,
  weightsRoot: string,
  feeds: Readonly<Record<string, Tensor>>,
): Promise<Record<string, Tensor>> {
  const session = await sessionOf(graph, weightsRoot);
  const outputs = await session.run(Object.fromEntries(graph.inputs.map((name) => [name, feeds[name]!])));
  return outputs as Record<string, Tensor>;
}

/** Sessions of the running test by weights and graph: most of the time that a tiny graph takes is to load it. */
const sessions = new Map<string, Promise<InferenceSession>>();

function sessionOf({ bytes }: ModelGraph, weightsRoot: string): Promise<InferenceSession> {
  if (sessions.size === 0) onTestFinished(releaseAll);
  const key = `${weightsRoot} ${createHash('sha256').update(bytes).digest('hex')}`;
  const session =
    sessions.get(key) ??
    InferenceSession.create(bytes, {
      intraOpNumThreads: 1,
      extra: { session: { model_external_initializers_file_folder_path: weightsRoot } },
    });
  sessions.set(key, session);
  return session;
}

async function releaseAll(): Promise<void> {
  const open = await Promise.allSettled(sessions.values());
  sessions.clear();
  for (const one of open) if (one.status === 'fulfilled') await one.value.release();
}

export interface Recorded {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** What transformers recorded: every tensor of a safetensors file, int64 and float32, as float32. */
export async function readRecorded(path: string): Promise<ReadonlyMap<string, Recorded>> {
  const file = await readFile(path);
  const headerEnd = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, headerEnd)) as Record<
    string,
    { dtype: 'F32' | 'I32' | 'I64'; shape: number[]; data_offsets: [number, number] }
  >;
  return new Map(
    Object.entries(header)
      .filter(([name]) => name !== '__metadata__')
      .map(
        ([
          name,
          {
            dtype,
            shape,
            data_offsets: [from, to],
          },
        ]) => {
          const bytes = new Uint8Array(file.subarray(headerEnd + from, headerEnd + to)).buffer;
          if (dtype === 'F32') return [name, { shape, values: new Float32Array(bytes) }];
          const whole = dtype === 'I32' ? new Int32Array(bytes) : [...new BigInt64Array(bytes)].map(Number);
          const values = Float32Array.from(whole);
          return [name, { shape, values }];
        },
      ),
  );
}
