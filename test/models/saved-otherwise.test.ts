import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import type { Tap } from '../../src/hooks/taps.js';
import { openModel } from '../../src/models/open-model.js';
import { deviation, TOLERANCE } from './fixture.js';
import { readRecorded, runModel } from './run-model.js';

// Random checkpoints that transformers 5.24 saved (ropes by type of layer, the number of experts under its newer name, experts
// in one tensor), and ones of 4.57.3 with caps that it ignores; what the same version gives for a prompt of 41 tokens.

const CASES = fileURLToPath(new URL('../fixtures/cases/parity/', import.meta.url));
const IGNORED: Readonly<Record<string, RegExp>> = {
  'gemma3-attn-softcap': /attn_logit_softcapping.*ignored/,
  'gemma3mm-final-softcap': /final_logit_softcapping.*ignored/,
};

it.each(readdirSync(CASES))('%s gives what transformers gives', async (name) => {
  const checkpoint = await openCheckpoint(join(CASES, name));
  const recorded = await readRecorded(join(CASES, name, 'expected.safetensors'));
  const model = openModel(checkpoint);
  const ignored = IGNORED[name];
  expect(model.warnings).toEqual(ignored === undefined ? [] : [expect.stringMatching(ignored)]);
  const { values: ids } = recorded.get('p5/ids')!;
  const prompts = {
    batch: 1,
    seq: ids.length,
    ids: BigInt64Array.from(ids, BigInt),
    counted: new Float32Array(ids.length).fill(1),
    lengths: [ids.length],
  };
  const points = model.hooks.filter(({ name: point }) => recorded.has(`p5/${point}`));
  const taps = (layer: number): Tap[] =>
    points.filter((point) => point.layer === layer).map(({ hook }) => ({ hook, statistic: 'full' }));
  const found = await runModel(checkpoint, model, prompts, taps);
  const compare = (point: string, values: Float32Array): void => {
    const { values: expected, shape } = recorded.get(`p5/${point}`)!;
    const batched = { values: expected, shape: [1, ...shape] };
    expect(deviation(values, batched, point, [ids.length]), point).toBeLessThanOrEqual(TOLERANCE);
  };
  for (const { layer, hook, name: point } of points)
    compare(point, found.layers[layer]!.get(`${hook}/full`)!);
  compare('logits', found.logits);
  expect(points.length).toBeGreaterThanOrEqual(3 * model.shape.layers);
});
