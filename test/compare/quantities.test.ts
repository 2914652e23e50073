import { expect, test } from 'vitest';
import { foldSubsets } from '../../src/compare/inputs/fold-subsets.js';
import { RunTally } from '../../src/compare/inputs/tally.js';
import { headOverlap, topCount } from '../../src/compare/inputs/top-heads.js';
import type { UnitTallies } from '../../src/compare/inputs/unit-tallies.js';
import { measureAll } from '../../src/compare/measure-all.js';
import { entropyEdges, ProfileBuilder } from '../../src/compare/profile.js';
import { depthQuantities } from '../../src/compare/quantities/depth.js';
import {
  notWithout,
  type Quantity,
  quantity,
  signed,
  UNBOUNDED,
} from '../../src/compare/quantities/quantity.js';
import { emptySelection } from '../../src/scores/selection/selection.js';

test('depth: the mean index from 0 of the layers of selected units, and the largest distance of their cumulative shares', () => {
  const runs = [
    [3, 1, 0, 0],
    [0, 1, 2, 1],
  ].map((selected) => {
    const tally = new RunTally(1, selected.length);
    for (const [layer, units] of selected.entries()) {
      tally.add(0, layer, { lape: new Float64Array(), omega2: null, assignment: new Int16Array(units) });
    }
    return [tally];
  });
  const scopes = [{ group: null, languages: [0, 1] }];
  const [distance, mean] = depthQuantities({
    type: 'neuron',
    scopes,
    runs,
    unselected: null,
  } as unknown as UnitTallies);
  const [a, b] = [0, 1].map((run) => ({ run, subset: 0 })) as [
    { run: number; subset: number },
    { run: number; subset: number },
  ];
  expect([mean!.value!(a), mean!.value!(b), mean!.between(a, b)]).toEqual([0.25, 2, 1.75]);
  // Shares 3/4, 1, 1, 1 against 0, 1/4, 3/4, 1: furthest at the first layer, or at the second, and not at the last.
  expect(distance!.between(a, b)).toBe(0.75);
});

test('top heads are 2 % of all heads, rounded, and at least one', () => {
  expect([4, 24, 75, 144, 1024].map(topCount)).toEqual([1, 1, 2, 3, 20]);
  // Three languages over four heads; the first two have the same highest head.
  const values = Float64Array.of(0, 5, 1, 2, 1, 4, 3, 0, 9, 0, 0, Number.NaN);
  const none = Number.NaN;
  expect([...headOverlap(values, 3)]).toEqual([1, 1, none, 1, 1, none, none, none, none]);
});

test('entropies are counted in fifty bins, whose lower edge belongs to them and the last of which is closed', () => {
  const edges = entropyEdges(3);
  const lape = Float64Array.of(
    0,
    edges[1]! * 0.99,
    edges[1]! * 1.01,
    edges[49]! * 1.001,
    edges[50]!,
    Number.NaN,
  );
  const units = lape.length;
  const builder = new ProfileBuilder(3);
  builder.add(0, {
    rates: new Float64Array(3 * units).fill(0.5),
    selection: emptySelection(3, units),
    scopes: [{ lape }],
  } as unknown as Parameters<ProfileBuilder['add']>[1]);
  const { entropyHistogram } = builder.finish('run', new RunTally(1, 1));
  expect(entropyHistogram).toEqual([2, 1, ...Array(47).fill(0), 2]);
});

/** The trend of a quantity that has these values at the checkpoints of a training run. */
function trendOf(values: readonly number[]) {
  const labels = values.map((_, run) => `step${run}`);
  const quantity: Quantity = {
    measure: 'selected',
    type: 'neuron',
    group: null,
    layer: null,
    language: null,
    isSmooth: false,
    isDetail: false,
    impossible: null,
    ...signed(({ run }) => values[run]!),
    valueRange: UNBOUNDED,
    changeRange: UNBOUNDED,
    needs: '',
  };
  const { trends } = measureAll([quantity], {
    labels,
    regimes: values.map((_, run) => [run]),
    subsets: foldSubsets([0, 1, 2], 2, 0),
    scopes: [],
    contrasts: [],
    steps: new Map(labels.map((label, run) => [label, run])),
    margin: null,
  });
  return trends[0]!;
}

test('a trend of four checkpoints is not measured: no order of four values is rare enough; one of five is', () => {
  expect(trendOf([1, 2, 3, 4])).toMatchObject({
    s: 6,
    finding: 'not measured',
    note: 'no order of 4 values has a p below 0.05',
  });
  expect(trendOf([1, 2, 3, 4, 5])).toMatchObject({ s: 10, tau: 1, finding: 'changed' });
  expect(trendOf([1, 4, 2, 5, 3])).toMatchObject({ finding: 'undecided' });
});

test('a count over folds without some language is not measured, never 0, and neither is its change', () => {
  const selected = quantity({
    measure: 'selected',
    type: 'neuron',
    group: null,
    ...signed(({ run, subset }) => 10 * run + subset),
    valueRange: UNBOUNDED,
    changeRange: UNBOUNDED,
    needs: 'no units',
  });
  const [own] = notWithout([selected], [false, true, false]);
  expect(own!.value!({ run: 1, subset: 1 })).toBeNaN();
  expect(own!.value!({ run: 1, subset: 2 })).toBe(12);
  const between = (a: number, b: number) => own!.between({ run: 0, subset: a }, { run: 1, subset: b });
  expect([between(0, 1), between(1, 0), between(0, 2)]).toEqual([Number.NaN, Number.NaN, 12]);
  expect(notWithout([selected], [false, false, false])).toEqual([selected]);
});
