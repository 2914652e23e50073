import { readdirSync } from 'node:fs';
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { type ModelProto, ModelProtoSchema } from '../../src/graph/onnx/onnx_pb.js';
import { openModel } from '../../src/models/open-model.js';
import type { ModelGraph } from '../../src/models/types.js';
import { InferenceSession, Tensor } from '../support/onnxruntime.js';
import { leaveOut, operatorsOf } from './edit-graph.js';
import { deviation, FIXTURES, openFixture, TOLERANCE } from './fixture.js';

// Slow because it runs each fixture once for every operator of its last layer: a test of the parity tests.

const CHECKPOINTS = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

it.each(CHECKPOINTS)(
  'without any one operator of its last layer, %s gives other logits than transformers',
  async (name) => {
    const { checkpoint, recorded, prompts, lengths } = await openFixture(name);
    const model = openModel(checkpoint);
    const last = model.shape.layers - 1;
    const { values, shape } = recorded.get(`blocks.${last}.hook_resid_pre`)!;
    const feeds = {
      hidden: new Tensor('float32', values, shape),
      lengths: new Tensor('int64', BigInt64Array.from(prompts.lengths, BigInt), [prompts.batch]),
    };
    const layer = model.layer(last, []);
    const ending = model.unembed();
    const unembedding = await open(ending.bytes, checkpoint.weightsRoot);
    const logitsOf = async (bytes: Uint8Array): Promise<Float32Array | null> => {
      const session = await open(bytes, checkpoint.weightsRoot).catch(() => null);
      const outputs = await session?.run(pick(feeds, layer)).catch(() => null);
      await session?.release();
      if (!outputs) return null; // what is left does not fit together
      const { logits } = await unembedding.run({ hidden: outputs.next! });
      return logits!.data as Float32Array;
    };
    const distance = (logits: Float32Array): number =>
      deviation(logits, recorded.get('logits')!, 'logits', lengths);
    expect(distance((await logitsOf(layer.bytes))!)).toBeLessThanOrEqual(TOLERANCE);

    const unnoticed: string[] = [];
    let noticed = 0;
    for (const [index, node] of operatorsOf(fromBinary(ModelProtoSchema, layer.bytes).graph!)) {
      const changed: ModelProto = fromBinary(ModelProtoSchema, layer.bytes);
      leaveOut(changed.graph!.node[index]!);
      const logits = await logitsOf(toBinary(ModelProtoSchema, changed));
      if (logits === null) continue;
      if (distance(logits) > TOLERANCE) noticed++;
      else unnoticed.push(`${node.opType} of ${node.input.join(', ')}`);
    }
    await unembedding.release();
    expect(unnoticed).toEqual([]);
    expect(noticed).toBeGreaterThanOrEqual(8);
  },
);

function open(bytes: Uint8Array, weights: string): Promise<InferenceSession> {
  return InferenceSession.create(bytes, {
    intraOpNumThreads: 1,
    logSeverityLevel: 4,
    graphOptimizationLevel: 'disabled',
    extra: { session: { model_external_initializers_file_folder_path: weights } },
  });
}

function pick(feeds: Readonly<Record<string, Tensor>>, { inputs }: ModelGraph): Record<string, Tensor> {
  return Object.fromEntries(inputs.map((input) => [input, feeds[input]!]));
}
