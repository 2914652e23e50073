import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openModel } from '../../src/models/open-model.js';
import { loadModel } from '../../src/runtime/load-model.js';
import { ModelRunner } from '../../src/runtime/model-runner.js';
import { backwardProgramOf } from '../../src/runtime/program.js';
import { deviation, openGradients } from '../models/backward.js';
import { FIXTURES, openFixture, TOLERANCE } from '../models/fixture.js';

const NAME = 'qwen2-tied-bf16';

async function promptsOf(name: string) {
  const { prompts, lengths, checkpoint } = await openFixture(name);
  const ids = lengths.map((length, row) =>
    Int32Array.from(prompts.ids.slice(row * prompts.seq, row * prompts.seq + length), Number),
  );
  return { checkpoint, ids: ids.filter(({ length }) => length > 1) };
}

it('of a text are the loss and gradients that autograd gives', async () => {
  const { ids } = await promptsOf(NAME);
  const { losses, hooks: expected } = await openGradients(NAME);
  await using model = await loadModel(join(FIXTURES, NAME), { threads: 1 });
  const asked = ['blocks.1.attn.hook_z', 'blocks.2.mlp.hook_post', 'blocks.1.hook_resid_pre'];
  const { loss, hooks } = await model.gradients(ids[1]!, asked);
  expect(loss).toBeCloseTo(losses[1]!, 4);
  expect(Object.keys(hooks)).toEqual(asked);
  for (const hook of asked) {
    const { shape, data } = hooks[hook]!;
    expect(shape).toEqual([ids[1]!.length, ...model.hooks.find((point) => point.name === hook)!.shape]);
    // The second prompt's tokens come last.
    expect(deviation(data, expected.get(hook)!.slice(-data.length)), hook).toBeLessThan(TOLERANCE);
  }
});

it('of prompts of different lengths, in two workers and batches of a few tokens, are those of each by itself', async () => {
  const { checkpoint, ids } = await promptsOf(NAME);
  const prompts = [ids[0]!, ids[1]!, ids[0]!.slice(0, 3), ids[1]!.slice(2, 9)].map((own) => ({
    ids: own,
    counted: new Uint8Array(own.length).fill(1),
  }));
  const taps = [
    { hook: 'mlp.hook_post', statistic: 'attribution.sum' },
    { hook: 'attn.hook_z', statistic: 'attribution.abs' },
    { hook: 'hook_resid_post', statistic: 'gradient.norm.sum' },
  ] as const;
  const model = openModel(checkpoint);
  const options = { device: 'cpu', threads: 2, memoryBytes: 2 ** 32 } as const;
  const runner = await ModelRunner.start(checkpoint, model, options);
  try {
    const together = await runner.gradients(prompts, taps);
    for (const [i, prompt] of prompts.entries()) {
      const [alone] = await runner.gradients([prompt], taps);
      expect(together[i]!.loss).toBeCloseTo(alone!.loss, 5);
      expect([...together[i]!.hooks.keys()]).toHaveLength(3 * model.shape.layers);
      for (const [name, { values }] of alone!.hooks) {
        expect(deviation(together[i]!.hooks.get(name)!.values, values), name).toBeLessThan(1e-5);
      }
    }
  } finally {
    await runner.close();
  }
});

it('do not depend on how many tokens of logits exist at once', async () => {
  const { ids } = await promptsOf(NAME);
  // So little memory that the logits of one token exist at a time.
  await using tight = await loadModel(join(FIXTURES, NAME), { threads: 1, memoryBytes: 1000 });
  await using roomy = await loadModel(join(FIXTURES, NAME), { threads: 1 });
  const [a, b] = await Promise.all(
    [tight, roomy].map((model) => model.gradients(ids[1]!, ['blocks.0.mlp.hook_pre'])),
  );
  expect(a!.loss).toBeCloseTo(b!.loss, 5);
  const hook = 'blocks.0.mlp.hook_pre';
  expect(deviation(a!.hooks[hook]!.data, b!.hooks[hook]!.data)).toBeLessThan(1e-5);
  const { checkpoint } = await promptsOf(NAME);
  const rows = (bytes: number) =>
    backwardProgramOf(openModel(checkpoint), [], [0], bytes).find(({ loss }) => loss !== null)!.rows;
  expect([rows(1000), rows(2 ** 32)]).toEqual([1, 512]);
});

it('follow the weights: of one token alone, of a difference of two', async () => {
  const { ids } = await promptsOf(NAME);
  const own = ids[0]!;
  await using model = await loadModel(join(FIXTURES, NAME), { threads: 1 });
  const hook = 'blocks.1.mlp.hook_post';
  const of = (at: number, weight: number) => {
    const weights = new Float32Array(own.length);
    weights[at] = weight;
    return weights;
  };
  const first = await model.gradients(own, [hook], { weights: of(1, 1) });
  const second = await model.gradients(own, [hook], { weights: of(3, 1) });
  const both = await model.gradients(own, [hook], { weights: of(1, 1).map((w, i) => w - of(3, 1)[i]!) });
  const { logits } = await model.run(own, [], { logits: true });
  const row = Float64Array.from({ length: model.shape.vocab }, (_, v) => logits!.get(1, v));
  const nll = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0)) - row[own[2]!]!;
  expect(first.loss).toBeCloseTo(nll, 4);
  expect(both.loss).toBeCloseTo(first.loss - second.loss, 4);
  const difference = first.hooks[hook]!.data.map((value, i) => value - second.hooks[hook]!.data[i]!);
  expect(deviation(both.hooks[hook]!.data, difference)).toBeLessThan(1e-5);
});

it('are refused where there are none: one token, weights that do not fit, the graph of another exporter', async () => {
  const exported = join(FIXTURES, '..', 'onnx', 'optimum-qwen2', 'model.onnx');
  await using model = await loadModel(join(FIXTURES, NAME), { threads: 1 });
  const hooks = ['blocks.0.mlp.hook_post'];
  await expect(model.gradients([3], hooks)).rejects.toThrow(/a prompt of one token/);
  await expect(model.gradients([3, 4], hooks, { weights: [1] })).rejects.toThrow(/one finite value a token/);
  await expect(model.gradients([3, 4], hooks, { weights: [1, 1] })).rejects.toThrow(/0 for the last/);
  await expect(model.gradients([3, 4], hooks, { weights: [Number.NaN, 0] })).rejects.toThrow(/finite/);
  await expect(model.gradients([3, 4], ['blocks.9.mlp.hook_post'])).rejects.toThrow(/blocks\.9/);
  await using whole = await loadModel(exported, { threads: 1 });
  await expect(whole.gradients([3, 4], ['blocks.0.mlp.hook_post'])).rejects.toThrow(/another exporter/);
});
