import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { capture } from '../../src/capture/index.js';
import { inspectCheckpoint } from '../../src/models/inspect.js';
import { openRun } from '../../src/store/run/open-run.js';
import { expectFiring } from '../support/firing.js';
import { TINY_PROBES, temporaryFolder, writeTinyCheckpoint } from '../support/tiny-checkpoint.js';
import { activationsOf, neuronsByLoops } from './plain-loops.js';

const EXPORT = fileURLToPath(new URL('../fixtures/onnx/optimum-qwen2/model.onnx', import.meta.url));

test("a run of a checkpoint's export by Optimum holds the numbers of the checkpoint's own run", async () => {
  const folder = join(temporaryFolder(), 'tiny');
  writeTinyCheckpoint(folder);
  const graph = join(folder, 'model.onnx');
  cpSync(EXPORT, graph);
  const options = { probes: TINY_PROBES, limit: 4, threads: 1 };
  const own = await capture({ ...options, checkpoint: folder, out: join(folder, 'own') });
  const foreign = await capture({ ...options, checkpoint: graph, out: join(folder, 'foreign') });
  expect(foreign.complete).toBe(true);
  expect(foreign.manifest.shape).toMatchObject({
    family: 'onnx',
    layers: 3,
    dMlp: 37,
    heads: 4,
    headDim: 10,
  });
  expect(foreign.manifest.model).toMatchObject({
    architecture: 'Qwen2ForCausalLM',
    modelType: 'qwen2',
    dtype: 'F32',
  });
  const hooks = ['mlp.hook_pre', 'mlp.hook_post'] as const;
  const { cells, full } = await activationsOf(
    { ...options, checkpoint: folder, out: own.folder },
    own.manifest,
    hooks.map((hook) => ({ hook, statistic: 'full' })),
  );
  const runs = await Promise.all([own, foreign].map((result) => openRun(result.folder)));
  for (let l = 0; l < 3; l++) {
    const [expected, found] = await Promise.all(runs.map((run) => run.layer(l)));
    for (const layer of [expected, found]) onTestFinished(() => layer!.close());
    expect([...(await found!.readTokens())]).toEqual([...(await expected!.readTokens())]);
    const [fired, ownFired] = [
      await found!.readStatistic('mlp.fire'),
      await expected!.readStatistic('mlp.fire'),
    ];
    expectFiring(fired, ownFired, neuronsByLoops(cells, full, l, own.manifest).nearZero);
    for (const name of ['mlp.sum', 'mlp.sumsq', 'head.norm.sum', 'head.norm.sumsq'] as const) {
      const [a, b] = [await expected!.readStatistic(name), await found!.readStatistic(name)];
      const scale = a.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
      expect(b.length).toBe(a.length);
      for (const [i, value] of b.entries()) expect(Math.abs(value - a[i]!)).toBeLessThanOrEqual(1e-4 * scale);
    }
  }
});

test('inspection of a graph tells sizes, hook points and storage', async () => {
  const { hooks, units, weights, adapter: _, graph, ...shape } = await inspectCheckpoint(EXPORT);
  expect(graph).toEqual({ hidden: [] });
  expect(shape).toEqual({
    architecture: 'Qwen2ForCausalLM',
    layers: 3,
    dModel: 24,
    heads: 4,
    kvHeads: 2,
    headDim: 10,
    dMlp: 37,
    experts: null,
    mixture: null,
    vocab: 101,
    warnings: [],
    parameters: 19464,
    dtype: 'F32',
  });
  expect(units).toEqual({ neurons: 111, heads: 12, experts: 0, expertNeurons: 0 });
  expect(hooks.map(({ name }) => name)).toContain('blocks.2.mlp.hook_post');
  expect(weights?.files).toBe(1);
});
