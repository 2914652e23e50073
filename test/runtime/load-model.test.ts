import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { type LoadModelOptions, loadModel } from '../../src/runtime/load-model.js';
import { FIXTURES, TOLERANCE } from '../models/fixture.js';
import { type Recorded, readRecorded } from '../models/run-model.js';
import { tinyCheckpoint } from '../support/tiny-checkpoint.js';

/** A padded prompt of a recorded batch, without its padding. */
function cut({ values, shape }: Recorded, row: number, length: number): Float32Array {
  const [, seq = 0, ...rest] = shape;
  const width = rest.reduce((product, size) => product * size, 1);
  return values.slice(row * seq * width, (row * seq + length) * width);
}

function largestDifference(found: Float32Array, expected: Float32Array): number {
  expect(found.length).toBe(expected.length);
  return found.reduce((max, value, i) => {
    if (Number.isNaN(value) && Number.isNaN(expected[i])) return max;
    const difference = Math.abs(value - expected[i]!);
    return Number.isNaN(difference) ? Number.POSITIVE_INFINITY : Math.max(max, difference);
  }, 0);
}

const largest = (values: Float32Array): number =>
  values.reduce((max, value) => (Number.isNaN(value) ? max : Math.max(max, Math.abs(value))), 0);

const ADAPTERS = join(FIXTURES, '..', 'adapters');
const EXPORT = join(FIXTURES, '..', 'onnx', 'optimum-qwen2', 'model.onnx');

describe.each<[what: string, source: string, recordedIn: string, options: LoadModelOptions]>([
  ...['qwen2-tied-bf16', 'falcon-one-norm-bf16', 'qwen2-moe-bf16'].map(
    (name): [string, string, string, LoadModelOptions] => [
      name,
      join(FIXTURES, name),
      join(FIXTURES, name),
      {},
    ],
  ),
  ['a graph of another exporter', EXPORT, join(FIXTURES, 'qwen2-tied-bf16'), {}],
  [
    'a checkpoint with an adapter',
    join(FIXTURES, 'qwen2-moe-bf16'),
    join(ADAPTERS, 'qwen2-moe-shared-f32'),
    { adapter: join(ADAPTERS, 'qwen2-moe-shared-f32') },
  ],
])('loadModel of %s', (_, source, recordedIn, options) => {
  it('gives the activations and logits that transformers gives, of the hooks that were asked for alone', async () => {
    const recorded = await readRecorded(join(recordedIn, 'expected.safetensors'));
    const [length = 0] = recorded.get('lengths')!.values;
    const ids = cut(recorded.get('input_ids')!, 0, length);
    await using model = await loadModel(source, { ...options, threads: 1 });
    const asked = ['blocks.1.attn.hook_z', 'blocks.1.mlp.hook_post', 'blocks.0.hook_resid_pre'];
    const { hooks, logits, tokens } = await model.run(ids, asked, { logits: true });
    expect(Object.keys(hooks)).toEqual(asked);
    expect(tokens).toEqual([...ids].map((id) => `<${id}>`));
    for (const hook of asked) {
      const expected = recorded.get(hook)!;
      const found = hooks[hook]!;
      expect(found.shape).toEqual([length, ...model.hooks.find((point) => point.name === hook)!.shape]);
      const difference = largestDifference(found.data, cut(expected, 0, length));
      expect(difference, hook).toBeLessThanOrEqual(TOLERANCE * largest(expected.values));
    }
    const expected = recorded.get('logits')!;
    expect(largestDifference(logits!.data, cut(expected, 0, length))).toBeLessThanOrEqual(
      TOLERANCE * largest(expected.values),
    );
  });
});

describe('a loaded model', () => {
  const open = () => loadModel(tinyCheckpoint(), { threads: 1 });

  it('lists its hooks, and runs each of them', async () => {
    await using model = await open();
    const names = model.hooks.map(({ name }) => name);
    expect(names).toContain('blocks.2.attn.hook_pattern');
    const { hooks, ids } = await model.run('no sea', names);
    for (const { name, shape } of model.hooks) {
      const [first, ...rest] = hooks[name]!.shape;
      if (name.endsWith('pattern')) expect([first, ...rest]).toEqual([shape[0], ids.length, ids.length]);
      else expect([first, ...rest]).toEqual([ids.length, ...shape]);
    }
  });

  it('gives the text of each token, which joined are the text', async () => {
    await using model = await open();
    const { tokens, ids, logits } = await model.run('the sea is near');
    expect(tokens.length).toBe(ids.length);
    expect(tokens[0]).toBe('<s>');
    expect(tokens.slice(1).join('')).toBe('the sea is near');
    expect(logits).toBeNull();
    const bare = await model.run('the sea is near', [], { bos: 'off' });
    expect(bare.tokens).toEqual(tokens.slice(1));
  });

  it.each([
    ['blocks.1.mlp.hook_pots', /expected: blocks\.1\.mlp\.hook_post/],
    ['blocks.3.mlp.hook_post', /expected: blocks\.\d\.mlp\.hook_post/],
    ['mlp.hook_post', /no hook "mlp\.hook_post"/],
  ])('refuses the hook %s and names the nearest', async (hook, message) => {
    await using model = await open();
    await expect(model.run('the sea', [hook])).rejects.toThrow(UsageError);
    await expect(model.run('the sea', [hook])).rejects.toThrow(message);
  });

  it('refuses a prompt without tokens', async () => {
    await using model = await open();
    await expect(model.run('', [], { bos: 'off' })).rejects.toThrow(/without tokens/);
  });

  it('runs with edits inside, which everything behind them sees', async () => {
    const hook = 'blocks.1.attn.hook_z';
    await using plain = await open();
    await using edited = await loadModel(tinyCheckpoint(), {
      threads: 1,
      edits: [{ kind: 'set', at: hook, units: [2], amount: 0 }],
    });
    const after = 'blocks.2.hook_resid_pre';
    const run = (model: typeof plain) => model.run('the sea is near', [hook, after]);
    const [before, found] = [(await run(plain)).hooks, (await run(edited)).hooks];
    expect(found[hook]!.get(1, 2, 0)).toBe(0);
    expect(before[hook]!.get(1, 2, 0)).not.toBe(0);
    expect(found[hook]!.get(1, 1, 0)).toBe(before[hook]!.get(1, 1, 0));
    expect(found[after]!.data).not.toEqual(before[after]!.data);
  });
});
