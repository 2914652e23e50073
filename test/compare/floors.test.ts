import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compareRuns } from '../../src/compare/compare-runs.js';
import { seedFloor } from '../../src/compare/floors.js';
import { unitViews } from '../support/comparison-views.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'babelscope-floors-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));
const at = (name: string) => join(folder, name);

describe('seedFloor', () => {
  test('a difference is changed iff every pair of seeds across lies strictly beyond the largest within a regime', () => {
    const floor = (across: readonly number[]) => seedFloor([1, -3, 2], [], across, 'difference', '');
    expect(floor([4, -5])).toMatchObject({
      verdict: 'changed',
      shareOutside: 1,
      withinFrom: [1, 2, 3],
      withinTo: null,
      across: [4, 4.5, 5],
    });
    expect(floor([3, 9]).verdict).toBe('not distinguishable from training seeds');
  });

  test('a similarity is changed iff it lies below the smallest within a regime', () => {
    expect(seedFloor([0.8, 0.9], [0.7], [0.6, 0.5], 'similarity', '').verdict).toBe('changed');
    expect(seedFloor([0.8, 0.9], [0.4], [0.6, 0.5], 'similarity', '').shareOutside).toBe(0);
  });

  test('without a second seed in either regime, or with a value that cannot be computed, it is not measured', () => {
    expect(seedFloor([], [], [1], 'difference', '')).toMatchObject({
      verdict: 'not measured',
      note: 'one training seed a regime',
    });
    expect(seedFloor([1, Number.NaN], [], [5], 'difference', 'no unit')).toMatchObject({
      verdict: 'not measured',
      note: 'no unit',
    });
  });
});

test('a difference that another seed makes as well is changed beside sampling and not beside training seeds', async () => {
  const shared = { layers: 2, neurons: 150, items: 60, folds: 20 };
  // How many of 40 tied units each checkpoint keeps: regimes differ by less than their seeds do.
  const kept = { base: 40, 'sft-1': 38, 'sft-2': 11, 'grpo-1': 12, 'grpo-2': 36, 'far-1': 2, 'far-2': 1 };
  for (const [n, [name, units]] of Object.entries(kept).entries()) {
    const planted = Array.from({ length: units }, (_, u) => ({
      layer: u % 2,
      index: Math.floor(u / 2),
      language: u % 4,
    }));
    await writeSyntheticRun(at(name), { ...shared, noise: n + 1, planted });
  }
  const units = unitViews(
    await compareRuns(
      [
        { folder: at('base'), label: 'base' },
        { folder: at('sft-1'), label: 'sft', seeds: [at('sft-2')] },
        { folder: at('grpo-1'), label: 'grpo', seeds: [at('grpo-2')] },
        { folder: at('far-1'), label: 'far', seeds: [at('far-2')] },
      ],
      { fraction: 0.1 },
    ),
  );
  const neurons = units[0]!;
  const pair = (from: string, to: string) =>
    neurons.headlines.find((h) => h.measure === 'selected' && h.from === from && h.to === to)!;
  expect(pair('sft', 'grpo')).toMatchObject({
    verdict: 'changed',
    seeds: { verdict: 'not distinguishable from training seeds' },
  });
  expect(pair('base', 'far')).toMatchObject({ verdict: 'changed', seeds: { verdict: 'changed' } });
  const contrast = neurons.contrasts.find(
    (c) => c.measure === 'selected' && c.from === 'sft' && c.to === 'grpo',
  )!;
  expect(contrast.changesFrom).toHaveLength(2);
  expect(contrast.seeds.verdict).toBe('not distinguishable from training seeds');
  // The seeds average out: (12 + 36)/2 − (38 + 11)/2 is a small difference.
  expect(Math.abs(contrast.difference.value!)).toBeLessThan(5);
});
