import { join } from 'node:path';
import { expect, test } from 'vitest';
import { measureRecovery } from '../../src/planted/index.js';
import { TINY_PROBES, temporaryFolder, tinyCheckpoint } from '../support/planted-checkpoint.js';

// Slow because it plants, captures and scores several times over.

test('planted units are found at high strength and not at strength 0 (levelled neurons of the tiny checkpoint)', async () => {
  const points = await measureRecovery({
    checkpoint: tinyCheckpoint(),
    probes: TINY_PROBES,
    out: join(temporaryFolder(), 'recovery'),
    types: ['neuron'],
    strengths: [0, 1.5],
    planted: { neuron: 9, head: 0 },
    threads: 1,
  });
  const recall = (strength: number, call: string) =>
    points.find((point) => point.strength === strength && point.call === call)!.recall;
  for (const call of ['lape', 'ap', 'omega2']) {
    // Nine of 111: by chance 0.08.
    expect(recall(0, call), `${call} at strength 0`).toBeLessThanOrEqual(1 / 3);
    expect(recall(1.5, call), `${call} at strength 1.5`).toBeGreaterThanOrEqual(0.85);
  }
  for (const { precision, recall: found, call } of points) {
    if (!call.includes('2')) expect(precision).toBe(found); // as many are called as were planted
  }
});
