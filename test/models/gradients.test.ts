import { expect, it } from 'vitest';
import { openModel } from '../../src/models/open-model.js';
import { deviation, expectAutogradOf, runBackward } from './backward.js';
import { openFixture } from './fixture.js';

// One of each kind of attention, norm and MLP. All others are in gradients.slow.test.ts.
it.each([
  'qwen2-tied-bf16',
  'gpt2-bf16',
  'gemma2-caps-bf16',
  'falcon-alibi-f32',
  'cohere2-bf16',
  'deepseek-v3-bf16',
  'gpt-oss-bf16',
])("%s: the loss and its gradient at every hook point are those of PyTorch's autograd", expectAutogradOf);

it.each(['qwen2-tied-bf16', 'olmoe-clip-bf16'])(
  '%s: reductions are those of activations times gradients',
  async (name) => {
    const fixture = await openFixture(name);
    const { reduced, products } = await runBackward(fixture, openModel(fixture.checkpoint));
    for (const [key, rows] of reduced) expect(deviation(rows, products.get(key)!), key).toBeLessThan(1e-5);
    expect(reduced.size).toBeGreaterThan(10);
  },
);
