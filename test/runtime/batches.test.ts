import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCpuList, physicalCores } from '../../src/runtime/machine.js';
import { planBatches } from '../../src/runtime/memory/batches.js';

test('batches hold every prompt once, shortest first, and no more tokens than asked for once padded', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 200 }),
      fc.integer({ min: 1, max: 400 }),
      (lengths, batchTokens) => {
        const batches = planBatches(lengths, { batchTokens });
        const order = batches.flat();
        expect([...order].sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
        for (const [i, index] of order.entries()) {
          const before = order[i - 1] ?? index;
          expect(lengths[before]! < lengths[index]! || before <= index).toBe(true);
        }
        for (const batch of batches) {
          const padded = batch.length * Math.max(...batch.map((i) => lengths[i]!));
          expect(batch.length === 1 || padded <= batchTokens).toBe(true);
        }
      },
    ),
  );
});

test('batches of equal lengths need no padding, and none can be joined with another', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 60 }), (lengths) => {
      const batches = planBatches(lengths, { batching: 'equal-length', batchTokens: 12 });
      expect(batches.flat().sort((a, b) => a - b)).toEqual(lengths.map((_, i) => i));
      for (const [i, batch] of batches.entries()) {
        const length = lengths[batch[0]!]!;
        expect(batch.every((prompt) => lengths[prompt] === length)).toBe(true);
        expect(batch.length === 1 || batch.length * length <= 12).toBe(true);
        const next = batches[i + 1];
        if (next !== undefined && lengths[next[0]!] === length)
          expect((batch.length + 1) * length).toBeGreaterThan(12);
      }
    }),
  );
});

test('prompts that run alone have a batch each', () => {
  expect(planBatches([3, 1, 3], { batching: 'alone' })).toEqual([[1], [0], [2]]);
});

test('no prompts make no batches', () => {
  expect(planBatches([])).toEqual([]);
});

test('a list of processors is read as the kernel writes it', () => {
  expect(parseCpuList('0-3,8,10-11')).toEqual([0, 1, 2, 3, 8, 10, 11]);
  expect(parseCpuList('5')).toEqual([5]);
});

test('there is at least one core', () => {
  expect(physicalCores()).toBeGreaterThanOrEqual(1);
});
