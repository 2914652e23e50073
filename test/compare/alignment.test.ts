import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AlignmentComparison } from '../../src/compare/alignment-types.js';
import { compareRuns } from '../../src/compare/compare-runs.js';
import { readComparison, writeComparison } from '../../src/compare/files.js';
import { foldSubsets } from '../../src/compare/fold-subsets.js';
import type { Comparison } from '../../src/compare/types.js';
import { quantile } from '../../src/stats/quantile.js';
import { studentTQuantile } from '../../src/stats/student-t.js';
import { temporaryFolder } from '../store/temporary-folder.js';
import { aligned, writeAlignedRun } from '../support/aligned-runs.js';
import { writeSyntheticRun } from '../support/synthetic-run.js';

const { folds: FOLDS, layers: LAYERS, means } = aligned;
const SEED = 3;
const SPLITS = 30;
const { folds, leaveOneOut, halves } = foldSubsets(
  Array.from({ length: FOLDS }, (_, fold) => fold),
  SPLITS,
  SEED,
);
const PLACES = [null, 0, 1].flatMap((layer) =>
  (['margin', 'mexa'] as const).map((measure) => ({ layer, measure })),
);

let base: string;
let tuned: string;
let second: string;
let comparison: Comparison;
let alignment: AlignmentComparison;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'babelscope-aligned-'));
  [base, tuned, second] = ['base', 'tuned', 'tuned-2'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  for (const [run, name] of [
    [base, 'base'],
    [tuned, 'tuned'],
    [second, 'tuned-2'],
  ] as const) {
    await writeAlignedRun(run, name);
  }
  comparison = await compareRuns(
    [
      { folder: base, label: 'base' },
      { folder: tuned, label: 'tuned', seeds: [second] },
    ],
    { seed: SEED, splits: SPLITS, groups: [{ name: 'two', languages: ['de', 'ja'] }] },
  );
  alignment = comparison.alignment!;
});
afterAll(() => rm(join(base, '..'), { recursive: true, force: true }));

/** Mean over pairs of languages, by scikit-learn; `layer` null: mean over layers. */
function expected(
  run: string,
  group: string | null,
  measure: string,
  layer: number | null,
  subset: number,
): number {
  const mask = String(folds[subset]!.reduce((bits, fold) => bits | (1 << fold), 0));
  const of = (l: number) => means[group ?? 'all']![run]![l]![mask]![measure === 'margin' ? 0 : 1];
  return layer === null ? (of(0) + of(1)) / LAYERS : of(layer);
}

function interval(value: number, replicates: readonly number[]): readonly [number, number] {
  const mean = replicates.reduce((sum, x) => sum + x, 0) / replicates.length;
  const squares = replicates.reduce((sum, x) => sum + (x - mean) ** 2, 0);
  const half = studentTQuantile(0.975, FOLDS - 1) * Math.sqrt(((FOLDS - 1) / FOLDS) * squares);
  return [value - half, value + half];
}

test.each(PLACES)(
  'level and change of $measure in layer $layer, with jackknife intervals',
  ({ layer, measure }) => {
    for (const group of [null, 'two']) {
      const of = (run: string, subset: number) => expected(run, group, measure, layer, subset);
      for (const run of ['base', 'tuned']) {
        const { value } = alignment.levels.find(
          (l) => l.label === run && l.group === group && l.layer === layer && l.measure === measure,
        )!;
        const [low, high] = interval(
          of(run, 0),
          leaveOneOut.map((subset) => of(run, subset)),
        );
        expect(value.value).toBeCloseTo(of(run, 0), 6);
        expect(value.low).toBeCloseTo(measure === 'mexa' ? Math.max(0, low) : low, 6);
        expect(value.high).toBeCloseTo(measure === 'mexa' ? Math.min(1, high) : high, 6);
      }
      const { change, from, to } = alignment.changes.find(
        (c) => c.group === group && c.layer === layer && c.measure === measure,
      )!;
      const between = (subset: number) => of('tuned', subset) - of('base', subset);
      const [low, high] = interval(between(0), leaveOneOut.map(between));
      expect([from, to]).toEqual(['base', 'tuned']);
      expect(change.value).toBeCloseTo(between(0), 6);
      expect(change.low).toBeCloseTo(Math.max(-1, low), 6);
      expect(change.high).toBeCloseTo(Math.min(1, high), 6);
    }
  },
);

test.each(PLACES)(
  'floors of $measure in layer $layer: random halves, and the other training seed',
  ({ layer, measure }) => {
    const of = (run: string, subset: number) => expected(run, null, measure, layer, subset);
    const found = alignment.changes.find(
      (c) => c.group === null && c.layer === layer && c.measure === measure,
    )!;
    const within = (run: string) =>
      halves.map(({ first, second: other }) => Math.abs(of(run, other) - of(run, first)));
    const across = halves.flatMap(({ first, second: other }) => [
      Math.abs(of('tuned', other) - of('base', first)),
      Math.abs(of('tuned', first) - of('base', other)),
    ]);
    for (const [spread, values] of [
      [found.withinFrom, within('base')],
      [found.withinTo, within('tuned')],
      [found.across, across],
    ] as const) {
      [0.05, 0.5, 0.95].forEach((p, i) => {
        expect(spread![i]).toBeCloseTo(quantile(values, p), 6);
      });
    }
    const bound = Math.max(quantile(within('base'), 0.95), quantile(within('tuned'), 0.95));
    const beyond = (slack: number) => across.filter((x) => x > bound + slack).length / across.length;
    expect(found.shareOutside).toBeGreaterThanOrEqual(beyond(1e-6));
    expect(found.shareOutside).toBeLessThanOrEqual(beyond(-1e-6));
    expect(found.verdict).toBe(found.shareOutside! >= 0.95 ? 'changed' : 'not distinguishable from sampling');

    const between = (a: string, b: string) => Math.abs(of(b, 0) - of(a, 0));
    expect(found.seeds.withinFrom).toBeNull();
    expect(found.seeds.withinTo![1]).toBeCloseTo(between('tuned', 'tuned-2'), 6);
    expect(found.seeds.across![0]).toBeCloseTo(
      Math.min(between('base', 'tuned'), between('base', 'tuned-2')),
      6,
    );
  },
);

test('it says how many items and pairs it is from, and survives comparison.json', async () => {
  expect(alignment.items).toEqual([24, 26]);
  expect(alignment.pairs).toEqual({ measured: 6, all: 6 });
  expect(alignment.pooling).toBe('mean');
  const folder = await temporaryFolder();
  await writeComparison(folder, comparison);
  expect((await readComparison(folder)).alignment).toEqual(alignment);
});

test('a run compared with itself changes in no layer', async () => {
  const twin = await temporaryFolder();
  await cp(base, twin, { recursive: true });
  const { alignment: same } = await compareRuns(
    [
      { folder: base, label: 'a' },
      { folder: twin, label: 'b' },
    ],
    { splits: 20 },
  );
  expect(same!.changes).toHaveLength(2 * (LAYERS + 1));
  for (const { change, verdict } of same!.changes) {
    expect(change).toEqual({ value: 0, low: 0, high: 0 });
    expect(verdict).toBe('not distinguishable from sampling');
  }
});

test('a run alone has levels with intervals, and no change', async () => {
  const { alignment: alone } = await compareRuns([{ folder: base, label: 'base' }]);
  expect(alone!.changes).toEqual([]);
  const of = (levels: AlignmentComparison['levels']) =>
    levels.filter(({ label, group }) => label === 'base' && group === null);
  expect(of(alone!.levels)).toEqual(of(alignment.levels));
});

test('a group of one language has no pairs: not measured', async () => {
  const { alignment: grouped } = await compareRuns(
    [
      { folder: base, label: 'base' },
      { folder: tuned, label: 'tuned' },
    ],
    { splits: 5, groups: [{ name: 'ja', languages: ['ja'] }] },
  );
  const own = grouped!.changes.filter(({ group }) => group === 'ja');
  expect(own.length).toBeGreaterThan(0);
  for (const { verdict, note, change } of own) {
    expect([verdict, note, change.value]).toEqual(['not measured', 'no two languages share two items', null]);
  }
});

test('runs without the pooled residual stream have no alignment', async () => {
  const run = await temporaryFolder();
  await writeSyntheticRun(run, { layers: 1, neurons: 10 });
  expect((await compareRuns([{ folder: run, label: 'a' }])).alignment).toBeNull();
});
