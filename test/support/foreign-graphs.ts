import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  type ModelProto,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
} from '../../src/graph/onnx/onnx_pb.js';
import { temporaryFolder } from './tiny-checkpoint.js';

const EXPORTS = fileURLToPath(new URL('../fixtures/onnx/', import.meta.url));

/** The path of a copy of a fixture's graph, changed. Its folder goes with the test. */
export function copyOfGraph(name: string, change: (model: ModelProto) => void = () => {}): string {
  const folder = join(temporaryFolder(), name);
  cpSync(join(EXPORTS, name), folder, { recursive: true });
  const path = join(folder, 'model.onnx');
  const model = fromBinary(ModelProtoSchema, readFileSync(path));
  change(model);
  writeFileSync(path, toBinary(ModelProtoSchema, model));
  return path;
}

/** Each FastGelu of `tiny-random-gpt2` replaced by a ReLU that is fused into the projection before it. */
export function fuseActivations({ graph }: ModelProto): void {
  const WIDTH = 128n;
  const int64 = (name: string, ...values: bigint[]) =>
    graph!.initializer.push(
      create(TensorProtoSchema, {
        name,
        dataType: TensorProto_DataType.INT64,
        dims: [BigInt(values.length)],
        int64Data: values,
      }),
    );
  int64('rows', -1n, 32n);
  int64('outer', 0n, 1n);
  int64('width', WIDTH);
  graph!.node = graph!.node.flatMap((node) => {
    const activation = graph!.node.find(
      ({ opType, input }) => opType === 'FastGelu' && input[0] === node.output[0],
    );
    if (activation !== undefined) {
      const [reads = '', weight = ''] = node.input;
      const name = node.output[0]!;
      const make = (opType: string, input: string[], output: string, more = {}) =>
        create(NodeProtoSchema, { opType, input, output: [output], ...more });
      const axis = create(AttributeProtoSchema, {
        name: 'axis',
        type: AttributeProto_AttributeType.INT,
        i: 0n,
      });
      const relu = create(AttributeProtoSchema, {
        name: 'activation',
        type: AttributeProto_AttributeType.STRING,
        s: Buffer.from('Relu'),
      });
      // The fused operator takes matrices alone.
      return [
        make('Reshape', [reads, 'rows'], `${name}/rows`),
        make('FusedGemm', [`${name}/rows`, weight], `${name}/fused`, {
          domain: 'com.microsoft',
          attribute: [relu],
        }),
        make('Shape', [reads], `${name}/shape`),
        make('Gather', [`${name}/shape`, 'outer'], `${name}/outer`),
        make('Concat', [`${name}/outer`, 'width'], `${name}/wide`, { attribute: [axis] }),
        make('Reshape', [`${name}/fused`, `${name}/wide`], activation.output[0]!),
      ];
    }
    return node.opType === 'FastGelu' ? [] : [node];
  });
}

/** The activation functions of MLPs in `tiny-random-gpt2` as an operator that is none to the search for hook points. */
export function hideMlps({ graph }: ModelProto): void {
  for (const node of graph!.node) {
    if (node.opType === 'FastGelu')
      Object.assign(node, { opType: 'Atan', domain: '', input: node.input.slice(0, 1) });
  }
}

/** The output projections of attention in `tiny-random-gpt2` as an operator whose weight is not undone. */
export function hideAttentionOutputs({ graph }: ModelProto): void {
  const cores = new Set(
    graph!.node.filter(({ opType }) => opType === 'Attention').map(({ output }) => output[0]),
  );
  for (const node of graph!.node) {
    if (node.opType === 'MatMul' && cores.has(node.input[0]))
      Object.assign(node, { opType: 'FusedMatMul', domain: 'com.microsoft' });
  }
}
