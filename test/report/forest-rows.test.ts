import { expect, test } from 'vitest';
import { againstReference } from '../../src/compare/index.js';
import { forestRows } from '../../src/report/figures/forest.js';
import { syntheticComparison, testOf } from '../support/synthetic-comparison.js';

const RUNS = ['base', 'cpt', 'sft', 'grpo'];

/** Rows of one measure, where every run says of it what `of` says. */
function rowsWhere(measure: string, of: (to: string) => object) {
  const headlines = againstReference(syntheticComparison({ runs: RUNS }), 'neuron')
    .filter((headline) => headline.measure === measure)
    .map((headline) => ({
      ...headline,
      test: { ...testOf(null), note: 'no cut' },
      ...of(headline.to),
    }));
  return forestRows(headlines);
}
const NOTHING = {
  change: { value: null, low: null, high: null },
  withinFrom: null,
  withinTo: null,
  across: null,
  shareOutside: null,
};

test('a measure that no run is measured by, for one and the same reason, has one row for all of them', () => {
  expect(rowsWhere('jaccard', () => NOTHING).map(({ runs }) => runs)).toEqual(['all 3 runs']);
});

test('runs whose reasons differ have a row each', () => {
  const rows = rowsWhere('depth_distance', (to) => ({
    ...NOTHING,
    test: { ...testOf(null), note: `no unit in ${to}` },
  }));
  expect(rows.map(({ runs }) => runs)).toEqual(['cpt', 'sft', 'grpo']);
});

test('runs whose changes differ have a row each with its own values, measured or not', () => {
  const counts: Record<string, number> = { cpt: 90, sft: 77, grpo: 82 };
  const rows = rowsWhere('selected', (to) => ({
    ...NOTHING,
    valueFrom: 77,
    valueTo: counts[to]!,
    change: { value: counts[to]! - 77, low: null, high: null },
  }));
  expect(rows.map(({ runs, sides, changeText }) => [runs, sides, changeText])).toEqual([
    ['cpt', '77 → 90', '+13'],
    ['sft', '77 → 77', '0'],
    ['grpo', '77 → 82', '+5'],
  ]);
});
