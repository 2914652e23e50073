import { expect, test } from 'vitest';
import { ItemChanges } from '../../src/compare/units/item-changes.js';
import type { PromptScore } from '../../src/scores/definition.js';
import { SCORE_DEFINITIONS } from '../../src/scores/definitions/index.js';
import { itemSamples } from '../../src/scores/samples/item-samples.js';
import { Draws } from '../../src/stats/sampling/random.js';
import { studentTQuantile } from '../../src/stats/tests/distributions.js';
import { completeGrid } from '../../validation/simulated-grid.js';

const PROMPT_SCORES = SCORE_DEFINITIONS.filter((one): one is PromptScore => one.from === 'prompts');

// Slow because it simulates many units, each with permutations.

function last({ scores }: ItemChanges): number {
  return scores.length - 1;
}

const [ITEMS, LANGUAGES, FOLDS, UNITS] = [120, 4, 20, 300];

interface Setting {
  /** How much higher the first language lies, in the reference and in the other run. */
  readonly effect: readonly [number, number];
  /** Standard deviation of what an item has in all languages. */
  readonly items: readonly [number, number];
}

/** Changes of simulated units. */
function simulate({ effect, items }: Setting) {
  const grid = completeGrid(ITEMS, LANGUAGES, FOLDS);
  const draws = new Draws(7);
  let changes = new ItemChanges(grid, itemSamples(grid, [], null), PROMPT_SCORES);
  const found: { delta: Float64Array; centre: Float64Array; se: Float64Array }[] = [];
  for (let u = 0; u < UNITS; u++) {
    if (u % 50 === 0) {
      changes = new ItemChanges(
        grid,
        itemSamples(grid, [], { draws: 0, permutations: 100, seed: u }),
        PROMPT_SCORES,
      );
    }
    const [a, b] = [new Float32Array(ITEMS * LANGUAGES), new Float32Array(ITEMS * LANGUAGES)];
    for (let i = 0; i < ITEMS; i++) {
      const item = draws.gaussian();
      for (let k = 0; k < LANGUAGES; k++) {
        const own = draws.gaussian();
        const noise = 0.8 * own + 0.6 * draws.gaussian();
        a[i * LANGUAGES + k] = items[0] * item + own + (k === 0 ? effect[0] : 0);
        b[i * LANGUAGES + k] = items[1] * item + noise + (k === 0 ? effect[1] : 0);
      }
    }
    const { reference, other, se, miShift } = changes.of(a, b);
    const delta = other.map((value, s) => value - reference[s]!);
    const centre = delta.map((value, s) => value - (s === last(changes) ? miShift : 0));
    found.push({ delta, centre, se });
  }
  return { scores: changes.scores, found };
}

/** [score]: share of 95 % intervals of the change that hold the truth, which is 0 or, where languages differ, the mean. */
function coverage(setting: Setting): Map<string, number> {
  const { scores, found } = simulate(setting);
  const t = studentTQuantile(0.975, FOLDS - 1);
  return new Map(
    scores.flatMap(({ score, language }, s) => {
      if (language !== null && language > 0) return [];
      const mean = found.reduce((sum, { centre }) => sum + centre[s]!, 0) / UNITS;
      const truth = setting.effect[0] === setting.effect[1] ? 0 : mean;
      const held = found.filter(({ centre, se }) => Math.abs(centre[s]! - truth) <= t * se[s]!).length;
      return [[language === null ? `${score}, mean` : score, held / UNITS] as const];
    }),
  );
}

test.each<[string, Setting]>([
  ['no change', { effect: [1, 1], items: [1, 1] }],
  ['a change', { effect: [0.3, 1], items: [1, 1] }],
])(
  '95 % intervals of changes hold the truth in 93 to 97 % of simulated units, within what their number says: %s',
  (_, setting) => {
    // Two standard errors of a share of 95 % of 300 units are 2.5 %.
    for (const [score, share] of coverage(setting)) {
      expect(share, score).toBeGreaterThanOrEqual(0.93 - 0.025);
      expect(share, score).toBeLessThanOrEqual(0.97 + 0.025);
    }
  },
);

test('where items come to differ more and languages do not, the centre of the change of mutual information stays at 0', () => {
  // What Miller and Madow take off is then too much, so that mutual information itself falls.
  const { scores, found } = simulate({ effect: [0, 0], items: [0, 3] });
  const mean = (of: 'delta' | 'centre') =>
    found.reduce((sum, own) => sum + own[of][scores.length - 1]!, 0) / found.length;
  expect(mean('delta')).toBeLessThan(-0.005);
  expect(Math.abs(mean('centre'))).toBeLessThan(0.002);
});
