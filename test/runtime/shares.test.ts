import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planBatches } from '../../src/runtime/memory/batches.js';
import { PROCESS_BYTES, workersThatFit } from '../../src/runtime/memory/memory.js';
import { dealBatches, Gathering } from '../../src/runtime/memory/shares.js';

const LENGTHS = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 120 });
const WORKERS = fc.integer({ min: 1, max: 9 });

describe('shares of a chunk', () => {
  test('hold every batch once, and differ by one batch at most in padded tokens', () => {
    fc.assert(
      fc.property(LENGTHS, WORKERS, (lengths, workers) => {
        const batches = planBatches(lengths, { batchTokens: 128 });
        const shares = dealBatches(batches, lengths, workers);
        const dealt = shares.flatMap((share) =>
          share.batches.map((batch) => batch.map((row) => share.prompts[row]!)),
        );
        const named = (list: readonly (readonly number[])[]) => list.map((batch) => batch.join()).sort();
        expect(named(dealt)).toEqual(named(batches));
        expect(shares).toHaveLength(Math.min(workers, batches.length));
        const padded = (batch: readonly number[]) =>
          batch.length * Math.max(...batch.map((p) => lengths[p]!));
        const tokens = shares.map((share) =>
          share.batches
            .map((batch) => padded(batch.map((row) => share.prompts[row]!)))
            .reduce((a, b) => a + b, 0),
        );
        expect(Math.max(...tokens) - Math.min(...tokens)).toBeLessThanOrEqual(
          Math.max(...batches.map(padded)),
        );
      }),
    );
  });

  test('make the whole layer again, its rows in the order of the prompts, once the last of them is in', () => {
    fc.assert(
      fc.property(LENGTHS, WORKERS, (lengths, workers) => {
        const shares = dealBatches(planBatches(lengths, { batchTokens: 128 }), lengths, workers);
        const gathering = new Gathering(shares);
        const given = shares.map(({ prompts }, share) =>
          gathering.layer(share, {
            type: 'layer',
            layer: 3,
            readings: [['mlp.hook_post/sum', Float32Array.from(prompts.flatMap((p) => [p, -p]))]],
            tensors: [
              ['mlp.hook_post/full', prompts.map((p) => ({ dims: [1], values: Float32Array.of(p) }))],
            ],
          }),
        );
        expect(given.slice(0, -1).every((layer) => layer === null)).toBe(true);
        const whole = given.at(-1)!;
        expect(whole.layer).toBe(3);
        expect([...whole.readings[0]![1]]).toEqual(lengths.flatMap((_, p) => [p, -p]));
        expect(whole.tensors[0]![1].map(({ values }) => values[0])).toEqual(lengths.map((_, p) => p));
      }),
    );
  });
});

test('so many workers share a chunk as the memory holds, at least one and at most eight', () => {
  const bytes = fc.integer({ min: 1, max: 2 ** 34 });
  fc.assert(
    fc.property(bytes, bytes, bytes, bytes, (residentBytes, arenaBytes, workBytes, memoryBytes) => {
      const needs = { residentBytes, arenaBytes, workBytes, passingBytes: 0, bytesPerToken: 1000 };
      const fits = (workers: number) =>
        PROCESS_BYTES + 5000 * 1000 + workers * (residentBytes + arenaBytes + workBytes) <= memoryBytes;
      const workers = workersThatFit(needs, 5000, memoryBytes);
      expect(workers).toBeGreaterThanOrEqual(1);
      expect(workers).toBeLessThanOrEqual(8);
      if (workers > 1) expect(fits(workers)).toBe(true);
      if (workers < 8) expect(memoryBytes - 8 * 64 * 2 ** 20 > 0 && fits(8)).toBe(false);
    }),
  );
});
