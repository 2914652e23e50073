import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ItemChanges } from '../../src/compare/units/item-changes.js';
import { pairedP } from '../../src/compare/units/paired-change.js';
import type { PromptScore } from '../../src/scores/definition.js';
import { SCORE_DEFINITIONS } from '../../src/scores/definitions/index.js';
import { unitValues } from '../../src/scores/engine/score-items.js';
import { type ItemSamples, itemSamples } from '../../src/scores/samples/item-samples.js';
import { wholeSample } from '../../src/scores/samples/rank-walk.js';
import { Draws } from '../../src/stats/sampling/random.js';
import { type PooledGrid, readPooledGrid } from '../../src/store/arrays/pooled-grid.js';
import { openRun } from '../../src/store/run/open-run.js';
import { completeGrid } from '../../validation/simulated-grid.js';

const PROMPT_SCORES = SCORE_DEFINITIONS.filter((one): one is PromptScore => one.from === 'prompts');

const FIXTURES = fileURLToPath(new URL('../fixtures/compare', import.meta.url));
/** test/reference/make_compare.py (NumPy, SciPy, scikit-learn). */
const expected: {
  readonly units: readonly number[];
  readonly halvings: readonly (readonly (readonly number[])[])[];
  readonly permutations: readonly (readonly number[])[];
  /** [language, then their mean][unit] */
  readonly overlap: readonly (readonly number[])[];
  readonly mi: readonly number[];
  readonly miShift: readonly number[];
} = JSON.parse(readFileSync(join(FIXTURES, 'item-changes.json'), 'utf8'));

/** The values of the units, by run. */
async function pooled(name: string, grid: PooledGrid): Promise<Map<number, Uint16Array | Float32Array>> {
  const run = await openRun(join(FIXTURES, name));
  const layer = await run.layer(1);
  const values = new Map<number, Uint16Array | Float32Array>();
  for (const { unit, values: own } of unitValues(
    await layer.readStoredItems('mlp.items', 0, 100),
    grid.row,
  )) {
    if (expected.units.includes(unit)) values.set(unit, own.slice());
  }
  await layer.close();
  return values;
}

test('changes of overlap and of mutual information vary by what NumPy and scikit-learn find in halves and permutations', async () => {
  const grid = (await readPooledGrid(await openRun(join(FIXTURES, 'base'))))!;
  const half = (folds: readonly number[]) => {
    const weights = Uint8Array.from(grid.item, (item) => (folds.includes(grid.foldOf[item]!) ? 1 : 0));
    return { labels: grid.language, weights, total: weights.reduce((sum, weight) => sum + weight, 0) };
  };
  const whole = wholeSample(grid.language);
  const samples: ItemSamples = {
    ...itemSamples(grid, [], { draws: 0, permutations: 0, seed: 0 }),
    halvings: expected.halvings.map(([first, second]) => [half(first!), half(second!)] as const),
    permutations: expected.permutations.map((labels) => ({ ...whole, labels: Uint8Array.from(labels) })),
    permutable: 1,
  };
  const changes = new ItemChanges(grid, samples, PROMPT_SCORES);
  const [base, tuned] = [await pooled('base', grid), await pooled('tuned', grid)];
  const at = changes.scores.findIndex(({ score }) => score === 'overlap');
  let misses = 0;
  for (const [u, unit] of expected.units.entries()) {
    const { se, miShift } = changes.of(base.get(unit)!, tuned.get(unit)!);
    expect(se[last(changes)]).toBeCloseTo(expected.mi[u]!, 9);
    expect(miShift).toBeCloseTo(expected.miShift[u]!, 9);
    // A value of half precision that lies on an edge of a bin may be counted on either side of it.
    for (const [i, answers] of expected.overlap.entries())
      misses += Number(Math.abs(se[at + i]! - answers[u]!) > 1e-9);
  }
  expect(expected.overlap).toHaveLength(last(changes) - at);
  expect(misses / (expected.units.length * expected.overlap.length)).toBeLessThanOrEqual(0.1);
});

function last({ scores }: ItemChanges): number {
  return scores.length - 1;
}

test('a unit with a value that is not finite in one run has no change; the same values in both change by exactly 0', () => {
  const grid = completeGrid(40, 3, 5);
  const changes = new ItemChanges(
    grid,
    itemSamples(grid, [], { draws: 0, permutations: 20, seed: 1 }),
    PROMPT_SCORES,
  );
  const draws = new Draws(3);
  const values = Float32Array.from({ length: 120 }, () => draws.gaussian());
  const same = changes.of(values, values);
  expect(same.other).toEqual(same.reference);
  expect([...same.se, same.miShift].every((value) => value === 0)).toBe(true);
  expect([...pairedP(Float64Array.of(0), same.se.subarray(0, 1), 5)]).toEqual([1]);
  const spoilt = values.slice().fill(Number.POSITIVE_INFINITY, 7, 8);
  const absent = changes.of(values, spoilt);
  expect(absent.reference).toEqual(same.reference);
  expect([...absent.other, ...absent.se].every(Number.isNaN)).toBe(true);
  expect(absent.miShift).toBe(0);
});
