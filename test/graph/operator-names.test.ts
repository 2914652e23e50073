import { fromBinary } from '@bufbuild/protobuf';
import { expect, it } from 'vitest';
import { checkpointNames } from '../../scripts/models-page.js';
import { OPERATORS, type OperatorName } from '../../src/graph/graph.js';
import { ModelProtoSchema } from '../../src/graph/onnx/onnx_pb.js';
import { statisticsOf, type Tap } from '../../src/hooks/taps.js';
import { openModel } from '../../src/models/open-model.js';
import type { ModelGraph } from '../../src/models/types.js';
import { openFixture } from '../models/fixture.js';

const NAMES = Object.values(OPERATORS).flat();

it('are those that the graphs of all families, reductions and gradients are made of, each in one file', async () => {
  const used = new Set<string>();
  const count = ({ bytes }: ModelGraph) => {
    for (const { opType } of fromBinary(ModelProtoSchema, bytes).graph!.node) used.add(opType);
  };
  for (const name of checkpointNames()) {
    const model = openModel((await openFixture(name)).checkpoint);
    const taps = (layer: number): Tap[] =>
      model.hooks
        .filter((point) => point.layer === layer)
        .flatMap(({ hook }) => statisticsOf(hook).map((statistic) => ({ hook, statistic })))
        .filter(({ hook, statistic }) => hook !== 'mlp.hook_router' || statistic !== 'count');
    const backward = [model.backward(1, []), model.loss({ gradient: true }), model.loss()];
    for (const graph of [model.embed(), model.layer(1, taps(1)), model.unembed(), ...backward]) count(graph);
  }
  expect([...NAMES].sort()).toEqual([...used].sort());
  expect(new Set(NAMES).size).toBe(NAMES.length);
});

it('key tables that must be complete', () => {
  const { Gemm: _, ...rest } = Object.fromEntries(NAMES.map((name) => [name, 0])) as Record<
    OperatorName,
    number
  >;
  // @ts-expect-error a table that lacks an operator does not compile
  const lacking: Record<OperatorName, number> = rest;
  expect(Object.keys(lacking).length).toBe(NAMES.length - 1);
});
