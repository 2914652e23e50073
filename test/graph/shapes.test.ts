import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { requireTensor } from '../../src/checkpoint/safetensors/require-tensor.js';
import { elementCount } from '../../src/graph/shapes.js';
import { FAMILIES } from '../../src/models/choose-family.js';
import { Block } from '../../src/models/layers/block.js';
import { runGraph } from '../models/run-model.js';
import { Tensor } from '../support/onnxruntime.js';

it.each([
  ['qwen2', 'qwen2-window-f32'],
  ['olmo2', 'olmo2-bias-f32'],
])('every value of a %s layer has the shape the builder gave it', async (name, fixture) => {
  const checkpoint = await openCheckpoint(
    fileURLToPath(new URL(`../fixtures/models/${fixture}`, import.meta.url)),
  );
  const family = FAMILIES.find((family) => family.name === name)!;
  const architecture = family.read(checkpoint, family.architectures[0]!);
  const taps = (['fire', 'sumsq', 'norm.sum'] as const).map(
    (statistic) => ({ hook: 'attn.hook_z', statistic }) as const,
  );
  const block = new Block('all', (weight, shape) => requireTensor(checkpoint, weight, shape), { taps });
  const { dModel } = architecture.shape;
  const hidden = block.graph.input('hidden', 'float32', ['batch', 'seq', dModel]);
  architecture.layer(block, 1, hidden);
  for (const node of [...block.graph.nodes]) block.graph.output(node.outputs[0]!.name, node.outputs[0]!);
  const sizes: Record<string, number> = { batch: 2, seq: 5 };
  const outputs = await runGraph(block.finish(), checkpoint.weightsRoot, {
    hidden: new Tensor('float32', new Float32Array(2 * 5 * dModel).fill(0.5), [2, 5, dModel]),
    counted: new Tensor('float32', new Float32Array(10).fill(1), [2, 5]),
  });
  expect(Object.keys(outputs).length).toBeGreaterThan(60);
  for (const [output, value] of block.graph.outputs) {
    const expected = value.shape.map((dim) => {
      const { factor, symbols } = elementCount([dim]);
      return symbols.reduce((product, symbol) => product * sizes[symbol]!, factor);
    });
    expect(outputs[output]!.dims, value.describe()).toEqual(expected);
  }
});
