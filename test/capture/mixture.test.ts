import { join } from 'node:path';
import { expect, test } from 'vitest';
import { capture } from '../../src/capture/index.js';
import { UsageError } from '../../src/errors.js';
import { TINY_PROBES, temporaryFolder, tinyCheckpoint, tinyMixture } from '../support/tiny-checkpoint.js';
import { activationsOf, expectClose, expectNeurons, neuronsByLoops, readLayer } from './plain-loops.js';

const [LAYERS, K, EXPERTS, PER_TOKEN, WIDTH, SHARED] = [3, 2, 7, 3, 9, 14];
const NEURONS = EXPERTS * WIDTH + SHARED;

test('a run of a mixture counts tokens by expert, sums the neurons of each over the tokens routed to it alone, and pools them with 0 for the others', async () => {
  const request = {
    checkpoint: tinyMixture(),
    probes: TINY_PROBES,
    out: join(temporaryFolder(), 'run'),
    // In English two tokens lie so near a tie that rounding chooses their experts.
    languages: ['de', 'uk'],
    keep: 'expert-items' as const,
  };
  const { folder, manifest } = await capture({ ...request, threads: 1 });
  expect(manifest.shape).toMatchObject({
    experts: EXPERTS,
    mixture: { perToken: PER_TOKEN, dExpert: WIDTH, dShared: SHARED, layers: [1, 2] },
  });
  const { plan } = manifest;
  const hooks = ['mlp.hook_router', 'mlp.hook_pre', 'mlp.hook_post'] as const;
  const { cells, full } = await activationsOf(
    request,
    manifest,
    hooks.map((hook) => ({ hook, statistic: 'full' })),
  );
  let closest = Number.POSITIVE_INFINITY;
  for (let layer = 0; layer < LAYERS; layer++) {
    const arrays = await readLayer(folder, layer);
    expectNeurons(arrays, neuronsByLoops(cells, full, layer, manifest));
    expect('expert.count' in arrays).toBe(layer > 0);
    if (layer === 0) continue;
    const places = plan.folds * K;
    const count = new Uint32Array(places * EXPERTS);
    const probabilities = new Float64Array(places * EXPERTS);
    const items = new Float32Array(plan.items.length * K * EXPERTS).fill(Number.NaN);
    for (const [c, { item, fold, language, ids }] of cells.entries()) {
      const of = (hook: string) => full[c]!.hooks.get(`blocks.${layer}.${hook}`)!.values;
      const [pre, router] = [of('mlp.hook_pre'), of('mlp.hook_router')];
      const place = fold * K + language;
      for (let t = 1; t < ids.length; t++) {
        const descending = router
          .slice(t * EXPERTS, (t + 1) * EXPERTS)
          .sort()
          .reverse();
        closest = Math.min(closest, descending[PER_TOKEN - 1]! - descending[PER_TOKEN]!);
        for (let e = 0; e < EXPERTS; e++) {
          const probability = router[t * EXPERTS + e]!;
          if (!Number.isNaN(pre[t * NEURONS + e * WIDTH]!)) count[place * EXPERTS + e]!++;
          probabilities[place * EXPERTS + e]! += probability;
          const at = (item * K + language) * EXPERTS + e;
          items[at] = (t === 1 ? 0 : items[at]!) + probability / (ids.length - 1);
        }
      }
    }
    expect(arrays['expert.count']).toEqual(count);
    expectClose(arrays['expert.prob.sum']!, probabilities, 1e-5);
    expectClose(arrays['expert.prob.items']!, items, 1e-5);
    for (let place = 0; place < places; place++) {
      const routed = count.subarray(place * EXPERTS, (place + 1) * EXPERTS).reduce((a, b) => a + b, 0);
      expect(routed).toBe(PER_TOKEN * arrays.tokens![place]!);
    }
  }

  // Counts are exact, since no token lies within rounding of another choice of experts.
  expect(closest).toBeGreaterThan(1e-5);

  // With --keep items the same but for the neurons of routed experts.
  const out = join(temporaryFolder(), 'items');
  await capture({ ...request, out, keep: 'items', threads: 1 });
  for (let layer = 0; layer < LAYERS; layer++) {
    const [all, own] = [await readLayer(folder, layer), await readLayer(out, layer)];
    const pooled = layer === 0 ? all['mlp.items']! : lastColumns(all['mlp.items']!, NEURONS, SHARED);
    expect(own).toEqual({ ...all, 'mlp.items': pooled });
  }
});

test('pooled values of experts of a model that has none are refused', async () => {
  const request = { checkpoint: tinyCheckpoint(), probes: TINY_PROBES, out: join(temporaryFolder(), 'run') };
  const refused = capture({ ...request, keep: 'expert-items' });
  await expect(refused).rejects.toThrow(UsageError);
  await expect(refused).rejects.toThrow(/the model has no experts/);
});

/** The last `kept` of every `width` values. */
function lastColumns(values: ArrayLike<number>, width: number, kept: number): Float32Array {
  return Float32Array.from(values).filter((_, i) => i % width >= width - kept);
}
