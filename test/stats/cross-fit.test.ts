import { expect, test } from 'vitest';
import { crossFitted, randomHalves } from '../../src/stats/index.js';
import { Draws } from '../../src/stats/sampling/random.js';

const FOLDS = 10;

/** [fold, unit]: noise around each unit's level. */
function simulate(levels: Float64Array, draws: Draws): Float64Array[] {
  return Array.from({ length: FOLDS }, () => levels.map((level) => level + draws.gaussian()));
}

function meanOver(folds: readonly Float64Array[], chosen: readonly number[]): Float64Array {
  return folds[0]!.map((_, u) => chosen.reduce((sum, fold) => sum + folds[fold]![u]!, 0) / chosen.length);
}

function lowest(values: Float64Array, count: number): number[] {
  return [...values.keys()].sort((a, b) => values[a]! - values[b]!).slice(0, count);
}

test('the mean of selected units is too low by selection on the same folds, and right across halves', () => {
  const [units, count, repetitions] = [300, 10, 60];
  const draws = new Draws(4);
  const levels = Float64Array.from({ length: units }, () => 0.3 * draws.gaussian());
  let [naive, crossed, truth] = [0, 0, 0];
  for (let n = 0; n < repetitions; n++) {
    const folds = simulate(levels, draws);
    const all = [...folds.keys()];
    const halves = randomHalves(FOLDS, 10, n);
    const mean = (values: ArrayLike<number>, chosen: readonly number[]) =>
      chosen.reduce((sum, u) => sum + values[u]!, 0) / chosen.length;
    naive += mean(meanOver(folds, all), lowest(meanOver(folds, all), count)) / repetitions;
    const select = (chosen: readonly number[]) => lowest(meanOver(folds, chosen), count);
    crossed += crossFitted(halves, select, (chosen, own) => mean(meanOver(folds, chosen), own)) / repetitions;
    // What the units that halves select are truly like.
    truth += crossFitted(halves, select, (_, own) => mean(levels, own)) / repetitions;
  }
  expect(Math.abs(crossed - truth)).toBeLessThan(0.05);
  expect(naive - truth).toBeLessThan(-0.2);
});

test('both directions of every halving count alike; what has no value is left out', () => {
  const halves = [
    { first: [0], second: [1] },
    { first: [2], second: [3] },
  ];
  const seen: string[] = [];
  const value = crossFitted(
    halves,
    (folds) => folds[0]!,
    (folds, selected) => {
      seen.push(`${selected}→${folds[0]}`);
      return folds[0] === 3 ? Number.NaN : folds[0]!;
    },
  );
  expect(seen).toEqual(['0→1', '1→0', '2→3', '3→2']);
  expect(value).toBe(1);
  expect(crossFitted([], () => 0, Number)).toBeNaN();
});
