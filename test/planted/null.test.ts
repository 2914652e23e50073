import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { capture } from '../../src/capture/index.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { compareRuns } from '../../src/compare/index.js';
import { openModel } from '../../src/models/open-model.js';
import {
  addWeightNoise,
  BF16_ROUNDING,
  falseChanges,
  nullComparison,
  plantUnits,
  verdictsOf,
} from '../../src/planted/index.js';
import { readWeight as readStored } from '../../src/planted/stored-weight.js';
import { readWeight, TINY_PROBES, temporaryFolder, tinyCheckpoint } from '../support/tiny-checkpoint.js';

test('every weight moves, by no more than rounding to bfloat16 could; the copy opens as a float32 model', async () => {
  const checkpoint = tinyCheckpoint();
  const out = join(temporaryFolder(), 'noisy');
  await addWeightNoise(checkpoint, out, { seed: 4 });
  const copy = await openCheckpoint(out);
  expect(copy.config.dtype).toBe('float32');
  expect(openModel(copy).shape).toEqual(openModel(await openCheckpoint(checkpoint)).shape);
  let [moved, sum, elements] = [0, 0, 0];
  for (const [name, tensor] of copy.tensors) {
    expect(tensor.dtype).toBe('F32');
    const before = await readWeight(checkpoint, name);
    const after = await readStored(copy, tensor);
    for (const [i, was] of before.entries()) {
      if (was === 0) continue;
      const relative = after[i]! / was - 1;
      expect(Math.abs(relative)).toBeLessThanOrEqual(BF16_ROUNDING * (1 + 1e-4));
      if (relative !== 0) moved++;
      sum += relative;
      elements++;
    }
  }
  expect(moved / elements).toBeGreaterThan(0.999);
  expect(Math.abs(sum / elements)).toBeLessThan((4 * BF16_ROUNDING) / Math.sqrt(3 * elements));
});

test('the same seed gives the same bytes, another seed others', async () => {
  const checkpoint = tinyCheckpoint();
  const folder = temporaryFolder();
  const bytes = async (name: string, seed: number) => {
    await addWeightNoise(checkpoint, join(folder, name), { seed });
    return readFileSync(join(folder, name, 'model.safetensors'));
  };
  const first = await bytes('a', 1);
  expect(await bytes('b', 1)).toEqual(first);
  expect(await bytes('c', 2)).not.toEqual(first);
});

test('nothing is called a change between a checkpoint, itself, and itself with noise', async () => {
  const comparison = await nullComparison({
    checkpoint: tinyCheckpoint(),
    probes: TINY_PROBES,
    out: temporaryFolder(),
    groups: [
      { name: 'Latin', languages: ['en', 'de'] },
      { name: 'ends', languages: ['en', 'uk'] },
    ],
    noiseSeeds: [1, 2],
    fraction: 0.1, // of 111 neurons; 1 % would select one
    threads: 1,
  });
  expect(falseChanges(comparison)).toEqual([]);
  const given = verdictsOf(comparison);
  const having = (kind: string) => given.filter((verdict) => verdict.kind === kind);
  const { layers } = comparison.shape;
  // Pairs of runs (of contrasts: of runs but the reference), measures of neurons and of heads, all languages and two groups.
  expect(having('headline')).toHaveLength(6 * (7 + 10) * 3);
  expect(having('contrast')).toHaveLength(3 * (7 + 10) * 3);
  expect(having('layer')).toHaveLength(2 * 6 * 3 * layers);
  expect(having('language')).toHaveLength(2 * 6 * comparison.languages.length);
  // That nothing changed must not be because nothing was measured.
  for (const kind of ['headline', 'contrast', 'layer', 'language']) {
    const some = having(kind).filter(({ verdict }) => verdict === 'not distinguishable from sampling');
    expect(some.length, kind).toBeGreaterThanOrEqual(having(kind).length / 3);
  }
  const measured = comparison.changes.filter(
    ({ verdict }) => verdict === 'not distinguishable from sampling',
  );
  for (const { from, to, measure, valueFrom, valueTo } of measured) {
    if (from === 'checkpoint' && to === 'the same again') expect(valueTo, measure).toBe(valueFrom);
  }
});

test('a change that is there is called one: the null is not passed by calling nothing', async () => {
  const folder = temporaryFolder();
  const checkpoint = tinyCheckpoint();
  const planted = join(folder, 'planted');
  const units = { neurons: 40, strengths: [1.5] };
  await plantUnits({ checkpoint, probes: TINY_PROBES, out: planted, units, threads: 1 });
  const runs = [];
  for (const model of [checkpoint, planted]) {
    const run = join(folder, `run-${runs.length}`);
    await capture({ checkpoint: model, probes: TINY_PROBES, out: run, threads: 1 });
    runs.push({ folder: run });
  }
  const changed = falseChanges(await compareRuns(runs, { fraction: 0.1 }));
  const said = changed.map(({ kind, type, measure }) => `${kind} ${type} ${measure}`);
  expect(said).toContain('headline neuron mean_omega2_language');
  expect(said).toContain('layer neuron mean_omega2_language');
});
