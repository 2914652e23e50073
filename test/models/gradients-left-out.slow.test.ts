import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { ModelProtoSchema } from '../../src/graph/onnx/onnx_pb.js';
import { openModel } from '../../src/models/open-model.js';
import { Tensor } from '../support/onnxruntime.js';
import { deviation, openGradients, recordedNames } from './backward.js';
import { backwardOperatorsOf, leaveOut } from './edit-graph.js';
import { openFixture, TOLERANCE } from './fixture.js';
import { runGraph } from './run-model.js';

// Slow because it runs each fixture once for every operator of its last layer's backward pass: a test of the parity tests.

it.each(recordedNames())(
  'without any one operator of its last backward graph, %s gives another gradient than autograd',
  async (name) => {
    const { checkpoint, recorded, prompts, lengths } = await openFixture(name);
    const { hooks } = await openGradients(name);
    const model = openModel(checkpoint);
    const last = model.shape.layers - 1;
    const { seq } = prompts;
    const { dModel } = model.shape;
    // The longest prompt by itself: it is the last whose gradients were recorded.
    const row = lengths.indexOf(Math.max(...lengths));
    const length = lengths[row]!;
    const stream = recorded.get(`blocks.${last}.hook_resid_pre`)!.values;
    const gradientOf = (hook: string) => hooks.get(`blocks.${last}.${hook}`)!.slice(-length * dModel);
    const shape = [1, length, dModel];
    const start = row * seq * dModel;
    const feeds = {
      hidden: new Tensor('float32', stream.slice(start, start + length * dModel), shape),
      gradient: new Tensor('float32', gradientOf('hook_resid_post'), shape),
      lengths: new Tensor('int64', BigInt64Array.of(BigInt(length)), [1]),
    };
    const expected = gradientOf('hook_resid_pre');
    const backward = model.backward(last);
    const distance = async (bytes: Uint8Array): Promise<number | null> => {
      const outputs = await runGraph({ ...backward, bytes }, checkpoint.weightsRoot, feeds).catch(() => null);
      return outputs && deviation(outputs.previous!.data as Float32Array, expected);
    };
    expect(await distance(backward.bytes)).toBeLessThan(TOLERANCE);

    const forward = fromBinary(ModelProtoSchema, model.layer(last, []).bytes).graph!.node.length;
    const unnoticed: string[] = [];
    let noticed = 0;
    for (const [index, node] of backwardOperatorsOf(
      fromBinary(ModelProtoSchema, backward.bytes).graph!,
      forward,
    )) {
      const changed = fromBinary(ModelProtoSchema, backward.bytes);
      leaveOut(changed.graph!.node[index]!);
      const found = await distance(toBinary(ModelProtoSchema, changed));
      if (found === null) continue; // what is left does not fit together
      if (found > TOLERANCE) noticed++;
      else unnoticed.push(`${node.opType} of ${node.input.join(', ')}`);
    }
    expect(unnoticed).toEqual([]);
    expect(noticed).toBeGreaterThanOrEqual(8);
  },
);
